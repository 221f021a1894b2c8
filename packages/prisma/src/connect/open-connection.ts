import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Address } from '@aurora-iam/core'
import type { AdapterIam, ConnectionTarget, WriterCheck } from '@aurora-iam/core/adapter'
import { type Connection, type ConnectionConfig, createConnection } from 'mariadb'
import type { Activity } from '../status.ts'
import { GuardedStream, unreadable } from './guarded-stream.ts'

/** A connection that is logged in. */
export interface OpenConnection {
  readonly connection: Connection
  /**
   * Ends it at once, whatever it is doing. mariadb's own `destroy()` would open another connection to kill a running
   * query.
   */
  readonly cut: () => void
}

/** Opens one new connection. `signal` ends it, whatever it is waiting for. */
export type Open = (signal: AbortSignal) => Promise<OpenConnection>

/** What every connection has in common, in mariadb's words. */
export type CommonConfig = Pick<
  ConnectionConfig,
  'user' | 'database' | 'connectTimeout' | 'sessionVariables' | 'connectAttributes'
>

/**
 * Opens connections on IAM: a place under the rate, then a token, then the socket. mariadb from 3.5.3 verifies chain
 * and name before it sends the password, whatever the server's greeting says.
 *
 * A login whose token was made for an earlier one is repeated once if it is refused, as {@link AuroraIam.retryRefused}
 * says.
 */
export function openOnIam(options: {
  iam: AdapterIam
  target: ConnectionTarget
  ssl: unknown
  config: CommonConfig
  activity: Activity
}): Open {
  const { iam, target, config, activity } = options
  const { ca, minVersion, rejectUnauthorized, rest } = iam.tls(target, options.ssl)
  const ssl = { ...rest, ca, minVersion, rejectUnauthorized, servername: target.hostname }
  const writerCheck = iam.writerCheck(target)

  const open = async (signal: AbortSignal): Promise<OpenConnection> => {
    const login = await activity.waiting(iam.login(target, signal))
    try {
      const { value: password } = await login.tokenBeforeConnect()
      const secured = { ...config, ...login.dial(), password, ssl: copyOf(ssl) }
      const stream = new GuardedStream(login.dial())
      const opened = await logIn(stream, secured, signal, {
        cut: () => stream.breakOff(),
        afterwards: async (connection) => {
          if (stream.isBroken) throw brokenOff()
          stream.hasErrorListener = true
          if (writerCheck) {
            await requireWriter(connection, writerCheck).catch((error) => {
              login.discard(error)
              throw error
            })
          }
          login.succeed()
        },
      })
      activity.opened()
      return opened
    } catch (error) {
      login.fail(error as Error)
      activity.failed(error as Error)
      throw error
    }
  }
  return (signal) => iam.retryRefused(() => open(signal))
}

async function requireWriter(connection: Connection, check: WriterCheck): Promise<void> {
  const [row] = await connection.query<unknown[][]>({ sql: check.sql, rowsAsArray: true })
  const refusal = check.refusal(row?.[0])
  if (refusal) throw refusal
}

/** Opens connections by password, for `enabled: false`. */
export function openByPassword(
  address: Address,
  config: CommonConfig & Pick<ConnectionConfig, 'password' | 'ssl'>,
  activity: Activity,
): Open {
  const { ssl } = config
  return async (signal) => {
    try {
      const own = typeof ssl === 'object' ? { ssl: copyOf(ssl) } : {}
      const stream = connect({ ...address, noDelay: true, keepAlive: true })
      const cut = () => {
        // Destroying it tells mariadb nothing, but mariadb does listen for the end.
        stream.emit('end')
        stream.destroy()
      }
      const opened = await logIn(stream, { ...config, ...own, ...address }, signal, { cut })
      activity.opened()
      return opened
    } catch (error) {
      activity.failed(error as Error)
      throw error
    }
  }
}

/**
 * @param cut - Ends the connection over `socket` at once.
 * @param afterwards - What remains to be done with it, in no more time than the login may take.
 */
async function logIn(
  socket: Duplex,
  config: ConnectionConfig,
  signal: AbortSignal,
  { cut, afterwards }: { cut: () => void; afterwards?: (connection: Connection) => Promise<void> },
): Promise<OpenConnection> {
  signal.throwIfAborted()
  signal.addEventListener('abort', cut, { once: true })
  let timer: NodeJS.Timeout | undefined
  try {
    // mariadb's types leave out permitRedirect.
    const options: ConnectionConfig & { permitRedirect: boolean } = {
      ...config,
      stream: (use) => use(undefined, socket as Socket),
      permitRedirect: false,
      // As the stock adapter has it for its own pool: https://github.com/prisma/orm/issues/29364
      prepareCacheLength: 0,
    }
    const connection = await createConnection(options)
    // Without a listener mariadb throws what happens between queries.
    connection.on('error', () => {})
    signal.throwIfAborted()
    timer = setTimeout(cut, config.connectTimeout)
    await afterwards?.(connection)
    return { connection, cut }
  } catch (error) {
    cut()
    socket.destroy()
    // Its own errors and those of the network have a code, if only an empty one; the others it did not mean to throw.
    throw 'code' in (error as Error) ? error : unreadable(error)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', cut)
  }
}

/** In the shape of Node's own errors of the network. */
function brokenOff(): Error {
  const error = new Error('The connection broke off before it was ready.')
  return Object.assign(error, { code: 'ECONNRESET', syscall: 'read' })
}

/** mariadb writes to the `ssl` that it is given. */
function copyOf<T extends object>(ssl: T): Exclude<ConnectionConfig['ssl'], boolean | undefined> {
  return { ...ssl } as Exclude<ConnectionConfig['ssl'], boolean | undefined>
}
