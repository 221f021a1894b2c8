import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { LocalAuroraError } from '../errors.ts'
import type { Account } from './accounts.ts'
import { awaitGreeting } from './await-greeting.ts'
import { parseBackendUrl } from './backend-url.ts'
import { startMariaDb } from './mariadb.ts'

/** The real database behind the front. */
export interface Backend {
  /** The database that sessions begin in. */
  readonly database: string
  /** Opens a connection; the server's greeting comes first on it. */
  connect(): Socket
  /** The account that stands behind an IAM user. */
  account(user: string): Account
  /** Restarts what {@link openBackend} started; undefined for a server that is not ours. */
  readonly restart: ((readOnly: boolean) => Promise<void>) | undefined
  /** Ends what {@link openBackend} started. May be called again. */
  close(): Promise<void>
}

/** Which database. */
export interface BackendOptions {
  /**
   * A MySQL or MariaDB that runs already, see {@link parseBackendUrl}. All IAM users share its account, and
   * nothing is created there: the database must exist. Left out, a MariaDB of our own is started.
   */
  readonly url?: string
  /** The database to create, or to begin in where `url` names none. */
  readonly database: string
  /** The IAM users. */
  readonly users: readonly string[]
  /** Gives up. */
  readonly signal?: AbortSignal
}

const REACH_TIMEOUT_MS = 10_000

/**
 * Makes the database ready: starts one, or sees that the one at `url` answers.
 *
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`, `ERR_LOCAL_AURORA_NO_DATABASE`,
 * `ERR_LOCAL_AURORA_DATABASE_FAILED`, `ERR_LOCAL_AURORA_ABORTED`
 */
export async function openBackend(options: BackendOptions): Promise<Backend> {
  return options.url === undefined ? startOurs(options) : reachTheirs(options.url, options)
}

async function startOurs({ database, users, signal }: BackendOptions): Promise<Backend> {
  const server = await startMariaDb({ database, users, ...(signal && { signal }) })
  return {
    database,
    connect: () => connect(server.socketPath),
    account: (user) => server.account(user),
    restart: (readOnly) => server.restart(readOnly),
    close: () => server.close(),
  }
}

async function reachTheirs(url: string, { database, signal }: BackendOptions): Promise<Backend> {
  const address = parseBackendUrl(url)
  const tooLate = AbortSignal.timeout(REACH_TIMEOUT_MS)
  try {
    await awaitGreeting(
      connect(address.socket),
      signal === undefined ? tooLate : AbortSignal.any([signal, tooLate]),
    )
  } catch (cause) {
    if (signal?.aborted)
      throw new LocalAuroraError('ERR_LOCAL_AURORA_ABORTED', 'Opening the database was aborted', { cause })
    throw new LocalAuroraError(
      'ERR_LOCAL_AURORA_DATABASE_FAILED',
      `backend: no MySQL server answers at ${describe(address.socket)} (${describeCause(cause)}); ` +
        'start it, correct the URL, or leave `backend` out to have a MariaDB started',
      { cause },
    )
  }
  return {
    database: address.database ?? database,
    connect: () => connect(address.socket),
    account: () => ({ user: address.user, password: address.password }),
    restart: undefined,
    close: async () => {},
  }
}

function describe(socket: NetConnectOpts): string {
  return 'path' in socket ? socket.path : `${socket.host}:${socket.port}`
}

/** Several addresses tried in vain make an AggregateError without a message. */
function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return cause.message === '' ? String((cause as NodeJS.ErrnoException).code) : cause.message
}
