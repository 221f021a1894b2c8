import { AuroraIamError } from '@aurora-iam/core/adapter'
import { type ErrPacket, WireError } from '@aurora-iam/wire'

/** https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html#error_er_con_count_error */
const TOO_MANY = { errno: 1040, sqlState: '08004' }
/** https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html#error_er_unknown_error */
const UNKNOWN = { errno: 1105, sqlState: 'HY000' }

/** Returns the packet that reports to a client why it has no session. It holds no secret. */
export function clientErrorFor(error: Error): ErrPacket {
  if (error instanceof WireError && error.code === 'ERR_WIRE_SERVER') {
    const { errno = UNKNOWN.errno, sqlState = UNKNOWN.sqlState, message } = error
    return { errno, sqlState, message }
  }
  if (error instanceof AuroraIamError) {
    const isTooMany = error.code === 'ERR_AURORA_IAM_RATE_LIMITED'
    return { ...(isTooMany ? TOO_MANY : UNKNOWN), message: `aurora-iam: ${error.message}` }
  }
  return { ...UNKNOWN, message: `aurora-iam: ${whyNoLogin(error)}` }
}

/** Sends a user to the command that finds out why there is no login, and what to do. */
export const ASK_DOCTOR = 'Run aurora-iam doctor with the same options.'

/** Codes of a certificate that is not accepted: those of OpenSSL, and Node's for another name. */
const CERTIFICATE =
  /^(CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|(INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$)/

function whyNoLogin(error: Error): string {
  const reason = reasonOf(error)
  if (CERTIFICATE.test(reason))
    return `the certificate of the database is not accepted (${reason}), and no token was sent. ${ASK_DOCTOR}`
  // The words of WireError are ours: nothing of the server is in them.
  if (error instanceof WireError && error.code === 'ERR_WIRE_UNSUPPORTED')
    return `no login with a token is possible: ${error.message}. ${ASK_DOCTOR}`
  return `the database cannot be reached (${reason})`
}

/** Returns the code of the error that ended the connection. Its message may quote an unverified server. */
function reasonOf(error: Error & { code?: unknown }): string {
  const { cause } = error
  if (error instanceof WireError && cause instanceof Error) return reasonOf(cause)
  return typeof error.code === 'string' ? error.code : error.message
}

/** Packet for a client beyond `--max-connections`. */
export const TOO_MANY_CONNECTIONS: ErrPacket = { ...TOO_MANY, message: 'Too many connections' }
