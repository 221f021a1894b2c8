import { AuroraIamError } from '@aurora-iam/core'
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
  return { ...UNKNOWN, message: `aurora-iam: the database cannot be reached (${reasonOf(error)})` }
}

/** Returns the code of the error that ended the connection. Its message may quote an unverified server. */
function reasonOf(error: Error & { code?: unknown }): string {
  const { cause } = error
  if (error instanceof WireError && cause instanceof Error) return reasonOf(cause)
  return typeof error.code === 'string' ? error.code : error.message
}

/** Packet for a client beyond `--max-connections`. */
export const TOO_MANY_CONNECTIONS: ErrPacket = { ...TOO_MANY, message: 'Too many connections' }
