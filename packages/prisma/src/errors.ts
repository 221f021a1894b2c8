import type { Address } from '@aurora-iam/core'
import { AuroraIamError } from '@aurora-iam/core/adapter'
import { DriverAdapterError, type MappedError } from '@prisma/driver-adapter-utils'
import { MARIADB_ERRNO } from './connect/mariadb-internals.ts'
import type { PrismaErrorCode } from './error-catalogue.ts'

/** Error of mariadb or of the network. */
interface DriverError extends Error {
  readonly errno?: number
  readonly code?: string
  readonly sqlState?: string | null
  readonly sqlMessage?: string | null
  readonly fatal?: boolean
}

/** Address of a connection, and its user. */
export interface Destination extends Address {
  readonly user: string | undefined
}

/**
 * Failure with one of Prisma's codes. A query rejects with a `PrismaClientKnownRequestError` that has the same `code`,
 * message and `meta`. `$connect()`, the start and the COMMIT of a transaction reject with this error itself.
 */
export class PrismaDriverError extends DriverAdapterError {
  // Prisma recognizes the base class by its name, and would then report P2010 for raw SQL.
  override readonly name = 'PrismaDriverError'
  /** Prisma's code, such as `P1000`. */
  readonly code: PrismaErrorCode
  // Private, so that it is not enumerable: it may contain the values of a query, which must not reach logs.
  readonly #driverError: Error

  constructor(code: PrismaErrorCode, message: string, mapped: MappedError, driverError: Error) {
    const { errno, code: driverCode } = driverError as DriverError
    super({
      ...mapped,
      // Bun numbers errors of TLS with 0.
      originalCode: String(errno || driverCode || 'N/A'),
      originalMessage: messageOf(driverError),
    })
    this.message = message
    this.code = code
    this.#driverError = driverError
  }

  /**
   * The error of mariadb, the network or the server. {@link DriverAdapterError.cause} is Prisma's description of it.
   */
  get driverError(): Error {
    return this.#driverError
  }

  /** The `meta` of Prisma's own errors. */
  get meta(): { readonly driverAdapterError: PrismaDriverError } {
    return { driverAdapterError: this }
  }
}

/** mariadb's error numbers for TLS that is missing, failed or was not verified. */
const TLS_ERRNOS: ReadonlySet<number> = new Set([45008, 45023, 45056, 45057, 45059, 45062, 45063, 45064])
/**
 * Codes of a certificate that was not verified, and of other failures of TLS. On Bun these errors have a number as
 * well.
 *
 * @see https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
const TLS_CODE =
  /^(CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_|ERR_SSL_|(INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$)/
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])
// "Server shutdown in progress", "Connection was killed", "gone away", "lost during query", "closed for inactivity".
const LOST_ERRNOS: ReadonlySet<number> = new Set([1053, 1927, 2006, 2013, 4031])

/** Returns the error for a connection that could not be opened. An {@link AuroraIamError} keeps its class and code. */
export function connectError(error: Error, { host, port, user }: Destination): Error {
  if (error instanceof AuroraIamError) return withMeta(error)
  const { errno, code = '' } = error as DriverError
  const where = `${host}:${port}`
  const why = messageOf(error)
  const as = (prismaCode: PrismaErrorCode, message: string, mapped: MappedError) =>
    new PrismaDriverError(prismaCode, `${message}: ${why}`, mapped, error)

  switch (errno) {
    case 1045:
      return as('P1000', `The database at ${where} rejected the login${user ? ` of ${user}` : ''}`, {
        kind: 'AuthenticationFailed',
        user,
      })
    case 1040:
    case 1203:
    case 1226:
      return as('P2037', `The database at ${where} has too many connections`, {
        kind: 'TooManyConnections',
        cause: why,
      })
    case 1044:
      return as('P1010', `The database at ${where} denies the user access`, { kind: 'DatabaseAccessDenied' })
    case 1049:
      return as('P1003', `The server at ${where} has no such database`, { kind: 'DatabaseDoesNotExist' })
  }
  const isTls = TLS_CODE.test(code) || TLS_ERRNOS.has(errno ?? 0)
  const isLostOrSilent =
    errno === MARIADB_ERRNO.CONNECTION_TIMEOUT || errno === MARIADB_ERRNO.SOCKET_UNEXPECTED_CLOSE
  if (!isTls && (isLostOrSilent || 'syscall' in error || UNREACHABLE.has(code))) {
    return as('P1001', `Cannot reach the database at ${where}`, { kind: 'DatabaseNotReachable', host, port })
  }
  // An error with a code and without a number comes from Node's TLS.
  if (isTls || (errno === undefined && code !== '')) {
    return as('P1011', `No verified TLS to the database at ${where}`, {
      kind: 'TlsConnectionError',
      reason: why,
    })
  }
  return error
}

/** Returns the error for a query on an open connection. The adapter maps the server's error about the query itself. */
export function queryError(reason: unknown): Error {
  const error = reason instanceof Error ? reason : unreadableAnswer(reason)
  if (!isLost(error)) return error
  return new PrismaDriverError(
    'P1017',
    `The connection to the database was lost: ${messageOf(error)}`,
    { kind: 'ConnectionClosed' },
    error,
  )
}

/** Returns an error for an answer that mariadb cannot read. It rejects with a bare number then. */
export function unreadableAnswer(errno: unknown): Error {
  return Object.assign(new Error('The answer of the server could not be read.'), { errno, fatal: true })
}

// Only a query outside of transactions is retried. The pool alone knows whether a query was outside.
const lostOutsideTransaction = new WeakSet<object>()

/** Marks `error` as one of a query outside of transactions, and returns it. */
export function outsideTransaction<T extends Error>(error: T): T {
  lostOutsideTransaction.add(error)
  return error
}

/** Returns true if `error` is Prisma's error for a query outside of transactions whose connection was lost. */
export function isLostOutsideTransaction(error: unknown): boolean {
  const { code, meta } = error as { code?: unknown; meta?: { driverAdapterError?: object } }
  return code === 'P1017' && lostOutsideTransaction.has(meta?.driverAdapterError ?? {})
}

/** Records that the query of `error` was repeated: an extension that is applied twice does not repeat it again. */
export function markRepeated(error: unknown): void {
  const { meta } = error as { meta?: { driverAdapterError?: object } }
  lostOutsideTransaction.delete(meta?.driverAdapterError ?? {})
}

/**
 * Returns the error for a query that waited too long for a connection.
 *
 * @param lastFailure - the error of the last connection that could not be opened. Prisma drops the `cause` of an error,
 * so message and `meta` have it as well.
 */
export function exhaustedError(
  message: string,
  meta: Readonly<Record<string, number>>,
  lastFailure: (Error & { code?: string }) | undefined,
): Error {
  if (!lastFailure)
    return Object.assign(new Error(message), { code: 'P2024' satisfies PrismaErrorCode, meta })
  const { code, message: why } = lastFailure
  const error = new Error(`${message} The last new connection failed: ${why}`, { cause: lastFailure })
  return Object.assign(error, { code: 'P2024', meta: { ...meta, lastConnectError: { code, message: why } } })
}

/** Returns the error for a query of a transaction that was rolled back before the query was answered. */
export function rolledBackError(): Error {
  const message =
    'The transaction was rolled back before this query was answered: it ran longer than its timeout, another part of ' +
    'it failed, or the client was disconnected. Run the whole transaction again.'
  return Object.assign(new Error(message), { code: 'P2028' satisfies PrismaErrorCode })
}

/** Returns true if `error` is one of {@link rolledBackError}. */
export function isRolledBackError(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === ('P2028' satisfies PrismaErrorCode)
}

/** Returns true if `error` means that the connection is lost. */
function isLost({ errno = 0, fatal }: DriverError): boolean {
  if (LOST_ERRNOS.has(errno)) return true
  // mariadb's own numbers are 45xxx, and those of the network are negative.
  const isOfServer = errno > 0 && (errno < 45_000 || errno >= 46_000)
  return fatal === true && !isOfServer
}

// Prisma copies the code and the meta of an error, and drops its cause.
function withMeta(error: AuroraIamError): AuroraIamError {
  return Object.assign(error.copy(), { meta: { auroraIamError: error } })
}

function messageOf(error: Error): string {
  const { sqlMessage } = error as DriverError
  return sqlMessage ?? (error.message === '' ? ((error as DriverError).code ?? error.name) : error.message)
}
