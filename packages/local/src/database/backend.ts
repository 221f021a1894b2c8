import { createHmac } from 'node:crypto'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { WireError } from '@aurora-iam/wire'
import { LocalAuroraError } from '../errors.ts'
import { printable, quote } from '../printable.ts'
import type { KeyPair } from '../tls/key-pair.ts'
import { type Account, createIamUserSql } from './accounts.ts'
import { type AdminSession, openAdminSession } from './admin-session.ts'
import { awaitGreeting } from './await-greeting.ts'
import { parseBackendUrl } from './backend-url.ts'
import { IamUsers } from './iam-users.ts'
import { type MariaDb, startMariaDb } from './mariadb.ts'

/** The real database that Local Aurora relays to. */
export interface Backend {
  /** The database that sessions begin in. */
  readonly database: string
  /** The account that may create users. */
  readonly admin: Account
  /** The users who log in with IAM. */
  readonly iamUsers: IamUsers
  /** Opens a connection, on which the server greets first. */
  connect(): Socket
  /**
   * Signal that aborts when a private database ends without {@link Backend.close}. The reason is the error to report.
   */
  readonly ended: AbortSignal
  /** Restarts a private database; undefined for a database that was given by URL. */
  readonly restart: ((readOnly: boolean) => Promise<void>) | undefined
  /** Ends what {@link openBackend} started. May be called again. */
  close(): Promise<void>
}

/** Options of {@link openBackend}. */
export interface BackendOptions {
  /**
   * URL of a MySQL or MariaDB that runs already, see {@link parseBackendUrl}. Its account creates the users that are
   * missing. The database must exist. @defaultValue a private MariaDB
   */
  readonly url?: string
  /** The database to create, or to begin in if `url` names none. */
  readonly database: string
  /** The IAM users to create. */
  readonly users: readonly string[]
  /** Certificate of a private database. */
  readonly certificate?: KeyPair
  /** Cancels the start. */
  readonly signal?: AbortSignal
}

const REACH_TIMEOUT_MS = 10_000
/** `CREATE USER` of one that exists: https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html#error_er_cannot_user */
const CANNOT_USER = 1396

/**
 * Opens the database: starts a private one, or checks the one at `url` and creates its missing users.
 *
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`, `ERR_LOCAL_AURORA_NO_DATABASE`,
 * `ERR_LOCAL_AURORA_DATABASE_FAILED`, `ERR_LOCAL_AURORA_ABORTED`
 */
export async function openBackend(options: BackendOptions): Promise<Backend> {
  return options.url === undefined ? startPrivate(options) : reachUrl(options.url, options)
}

async function startPrivate({ database, users, certificate, signal }: BackendOptions): Promise<Backend> {
  const server = await startMariaDb({
    database,
    users,
    ...(certificate && { certificate }),
    ...(signal && { signal }),
  })
  return backendOf(server, database, certificate !== undefined)
}

/** Returns the database of a private server. */
export function backendOf(server: MariaDb, database: string, hasTls: boolean): Backend {
  const open = (): Socket => connect(server.socketPath)
  return {
    database,
    admin: server.admin,
    iamUsers: new IamUsers(open, { iamPassword: server.iamPassword, isMariaDb: true, hasTls }),
    connect: open,
    ended: server.ended,
    restart: (readOnly) => server.restart(readOnly),
    close: () => server.close(),
  }
}

async function reachUrl(url: string, { database, users, signal }: BackendOptions): Promise<Backend> {
  const address = parseBackendUrl(url)
  const admin = { user: address.user, password: address.password }
  const open = (): Socket => connect(address.socket)
  await awaitServer(address.socket, signal)
  const session = await logInAsAdmin(open(), admin)
  try {
    const iamUsers = new IamUsers(open, {
      iamPassword: derivedPassword(admin.password),
      isMariaDb: session.serverVersion.includes('MariaDB'),
      hasTls: session.hasTls,
    })
    for (const user of users) await createUser(user, address.database ?? database, iamUsers, session)
    return {
      database: address.database ?? database,
      admin,
      iamUsers,
      connect: open,
      ended: new AbortController().signal,
      restart: undefined,
      close: async () => {},
    }
  } finally {
    session.end()
  }
}

async function awaitServer(socket: NetConnectOpts, signal: AbortSignal | undefined): Promise<void> {
  const tooLate = AbortSignal.timeout(REACH_TIMEOUT_MS)
  try {
    await awaitGreeting(connect(socket), signal === undefined ? tooLate : AbortSignal.any([signal, tooLate]))
  } catch (cause) {
    if (signal?.aborted)
      throw new LocalAuroraError('ERR_LOCAL_AURORA_ABORTED', 'Opening the database was aborted', { cause })
    throw new LocalAuroraError(
      'ERR_LOCAL_AURORA_DATABASE_FAILED',
      `backend: no MySQL server answers at ${describe(socket)} (${describeCause(cause)}); ` +
        'start it, correct the URL, or leave `backend` out to have a MariaDB started',
      { cause },
    )
  }
}

async function logInAsAdmin(socket: Socket, admin: Account): Promise<AdminSession> {
  try {
    return await openAdminSession(socket, admin)
  } catch (cause) {
    throw new LocalAuroraError(
      'ERR_LOCAL_AURORA_DATABASE_FAILED',
      `backend: the account in the URL cannot log in (${printable(describeCause(cause))}); correct user and password`,
      { cause },
    )
  }
}

async function createUser(
  user: string,
  database: string,
  iamUsers: IamUsers,
  session: AdminSession,
): Promise<void> {
  if (await iamUsers.has(user)) return
  try {
    for (const statement of createIamUserSql(database, iamUsers.account(user))) await session.run(statement)
    iamUsers.add(user)
  } catch (cause) {
    if (cause instanceof WireError && cause.errno === CANNOT_USER) {
      const message =
        `users: ${quote(user)} exists in the database of \`backend\` and does not log in with IAM; ` +
        'drop that user there, or give another name'
      throw new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', message, { option: 'users', cause })
    }
    throw new LocalAuroraError(
      'ERR_LOCAL_AURORA_DATABASE_FAILED',
      `backend: the account in the URL cannot create the user ${quote(user)} (${printable(describeCause(cause))}); ` +
        'give one with CREATE USER and, on the database, with all privileges and GRANT OPTION',
      { cause },
    )
  }
}

/** Derives the password of the IAM users, so that those of one run can log in in the next. */
function derivedPassword(adminPassword: string): string {
  const digest = createHmac('sha256', adminPassword).update('users of Local Aurora').digest('base64url')
  // Meets the rules of MySQL's component `validate_password`.
  return `${digest}-aA1`
}

function describe(socket: NetConnectOpts): string {
  return 'path' in socket ? socket.path : `${socket.host}:${socket.port}`
}

/** Returns the reason. The AggregateError of a name with several addresses has no message. */
function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return cause.message === '' ? String((cause as NodeJS.ErrnoException).code) : cause.message
}
