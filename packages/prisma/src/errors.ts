import { type Address, AuroraIamError } from '@aurora-iam/core'
import { DriverAdapterError, type MappedError } from '@prisma/driver-adapter-utils'
import { MARIADB_ERRNO } from './connect/mariadb-internals.ts'

/** What mariadb and the network report. */
interface DriverError extends Error {
  readonly errno?: number
  readonly code?: string
  readonly sqlState?: string | null
  readonly sqlMessage?: string | null
  readonly fatal?: boolean
}

/** Where a connection goes, and as whom. */
export interface Destination extends Address {
  readonly user: string | undefined
}

/**
 * A failure in Prisma's own words. Prisma makes a `PrismaClientKnownRequestError` with the same `code`, message and
 * `meta` of it for a query; `$connect()`, the start and the COMMIT of a transaction reject with it as it is.
 */
export class PrismaDriverError extends DriverAdapterError {
  // By the name of its base class Prisma would know it, and give it the code P2010 wherever it comes of raw SQL.
  override readonly name = 'PrismaDriverError'
  /** Prisma's code, such as `P1000`. */
  readonly code: string
  // Not enumerable: it may hold the values of a query, which do not belong into logs.
  readonly #driverError: Error

  constructor(code: string, message: string, mapped: MappedError, driverError: Error) {
    const { errno, code: driverCode } = driverError as DriverError
    super({
      ...mapped,
      originalCode: String(errno ?? driverCode ?? 'N/A'),
      originalMessage: messageOf(driverError),
    })
    this.message = message
    this.code = code
    this.#driverError = driverError
  }

  /** The error of mariadb, the network or the server; {@link DriverAdapterError.cause} is Prisma's description of it. */
  get driverError(): Error {
    return this.#driverError
  }

  /** As Prisma has it in its own errors. */
  get meta(): { readonly driverAdapterError: PrismaDriverError } {
    return { driverAdapterError: this }
  }
}

const TLS_ERRNOS: ReadonlySet<number> = new Set([45008, 45023, 45056, 45057, 45059, 45062, 45063, 45064])
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

/** Why a connection could not be opened. An {@link AuroraIamError} stays what it is. */
export function connectError(error: Error, { host, port, user }: Destination): Error {
  if (error instanceof AuroraIamError) return withMeta(error)
  const { errno, code = '' } = error as DriverError
  const where = `${host}:${port}`
  const why = messageOf(error)
  const as = (prismaCode: string, message: string, mapped: MappedError) =>
    new PrismaDriverError(prismaCode, `${message}: ${why}`, mapped, error)

  switch (errno) {
    case 1045:
      return as('P1000', `The database at ${where} refused the login${user ? ` of ${user}` : ''}`, {
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
  const isSilent =
    errno === MARIADB_ERRNO.CONNECTION_TIMEOUT || errno === MARIADB_ERRNO.SOCKET_UNEXPECTED_CLOSE
  if (isSilent || 'syscall' in error || UNREACHABLE.has(code)) {
    return as('P1001', `Cannot reach the database at ${where}`, { kind: 'DatabaseNotReachable', host, port })
  }
  // What is left without a number of MySQL comes from Node's TLS.
  if (errno === undefined ? code !== '' : TLS_ERRNOS.has(errno)) {
    return as('P1011', `No verified TLS to the database at ${where}`, {
      kind: 'TlsConnectionError',
      reason: why,
    })
  }
  return error
}

/** Why a query on an open connection failed. What the server says about the query itself is left to the adapter. */
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

/** mariadb rejects with the bare number of its error where it cannot read an answer. */
export function unreadableAnswer(errno: unknown): Error {
  return Object.assign(new Error('The answer of the server could not be read.'), { errno, fatal: true })
}

// Only a query outside of transactions is repeated, and only the pool knows whether it was.
const lostOutsideTransaction = new WeakSet<object>()

/** Notes that what failed by `error` was no part of a transaction; returns the error. */
export function outsideTransaction<T extends Error>(error: T): T {
  lostOutsideTransaction.add(error)
  return error
}

/** Whether `error`, as Prisma hands it to its users, says that the connection of a query outside of transactions was lost. */
export function isLostOutsideTransaction(error: unknown): boolean {
  const { code, meta } = error as { code?: unknown; meta?: { driverAdapterError?: object } }
  return code === 'P1017' && lostOutsideTransaction.has(meta?.driverAdapterError ?? {})
}

/**
 * Returns the error for a query that waited too long for a connection.
 *
 * @param lastFailure - why the last connection could not be opened. Prisma drops an error's cause, so message and `meta`
 * have it as well.
 */
export function exhaustedError(
  message: string,
  meta: Readonly<Record<string, number>>,
  lastFailure: (Error & { code?: string }) | undefined,
): Error {
  if (!lastFailure) return Object.assign(new Error(message), { code: 'P2024', meta })
  const { code, message: why } = lastFailure
  const error = new Error(`${message} The last new connection failed: ${why}`, { cause: lastFailure })
  return Object.assign(error, { code: 'P2024', meta: { ...meta, lastConnectError: { code, message: why } } })
}

/** A query of a transaction came to nothing, because the transaction was rolled back before it was answered. */
export function rolledBackError(): Error {
  const message =
    'The transaction was rolled back before this query of it was answered: it ran longer than its timeout, something ' +
    'else in it failed, or the client was disconnected.'
  return Object.assign(new Error(message), { code: 'P2028' })
}

/** Whether `error` says that the connection is gone. */
function isLost({ errno, fatal }: DriverError): boolean {
  if (errno !== undefined && LOST_ERRNOS.has(errno)) return true
  // Numbers of mariadb's own are 45xxx, those of the network count downwards from zero.
  const isOfServer = errno !== undefined && errno > 0 && (errno < 45_000 || errno >= 46_000)
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
