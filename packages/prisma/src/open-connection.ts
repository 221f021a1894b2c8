import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Address, AuroraIam, ConnectionTarget, WriterCheck } from '@aurora-iam/core'
import { type Connection, type ConnectionConfig, createConnection } from 'mariadb'
import type { Activity } from './activity.ts'
import { ServerStream } from './server-stream.ts'

/** A connection that is logged in, and the TCP socket under it: closing that is the only way to end it at once. */
export interface OpenConnection {
  readonly connection: Connection
  readonly socket: Duplex
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
  iam: AuroraIam
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
      const { value: password } = await login.tokenAhead()
      const secured = { ...config, ...target.dial, password, ssl: copyOf(ssl) }
      const stream = new ServerStream(target.dial)
      const opened = await logIn(stream, secured, signal)
      login.accepted()
      if (writerCheck) await requireWriter(opened, writerCheck)
      activity.opened()
      return opened
    } catch (error) {
      login.failed(error as Error)
      activity.failed(error as Error)
      throw error
    }
  }
  return (signal) => iam.retryRefused(() => open(signal))
}

async function requireWriter({ connection, socket }: OpenConnection, check: WriterCheck): Promise<void> {
  const [row] = await connection.query<unknown[][]>({ sql: check.sql, rowsAsArray: true })
  const refusal = check.refusal(row?.[0])
  if (!refusal) return
  // Without a listener mariadb throws what it makes of the end.
  connection.on('error', () => {})
  cut(socket)
  throw refusal
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
      const opened = await logIn(stream, { ...config, ...own, ...address }, signal)
      activity.opened()
      return opened
    } catch (error) {
      activity.failed(error as Error)
      throw error
    }
  }
}

async function logIn(socket: Duplex, config: ConnectionConfig, signal: AbortSignal): Promise<OpenConnection> {
  signal.throwIfAborted()
  const giveUp = () => cut(socket)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    // mariadb's types leave out permitRedirect.
    const options: ConnectionConfig & { permitRedirect: boolean } = {
      ...config,
      stream: (use) => use(undefined, socket as Socket),
      permitRedirect: false,
      // As the stock adapter has it for its own pool: https://github.com/prisma/orm/issues/29364
      prepareCacheLength: 0,
    }
    return { connection: await createConnection(options), socket }
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

/**
 * Ends the connection on `socket` at once, whatever it is doing. mariadb's own `destroy()` would open another
 * connection to kill a running query. Destroying the socket without an error tells mariadb nothing, and with one it
 * would come out a second time, uncaught, of the TLS socket; but mariadb does listen for the end of this one.
 */
export function cut(socket: Duplex): void {
  socket.emit('end')
  socket.destroy()
}

/** mariadb writes to the `ssl` that it is given. */
function copyOf<T extends object>(ssl: T): Exclude<ConnectionConfig['ssl'], boolean | undefined> {
  return { ...ssl } as Exclude<ConnectionConfig['ssl'], boolean | undefined>
}
