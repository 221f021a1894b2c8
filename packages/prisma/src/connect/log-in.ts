import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { startTimeLimit } from '@aurora-iam/core/adapter'
import { type Connection, type ConnectionConfig, createConnection } from 'mariadb'
import { unreadable } from './guarded-stream.ts'
import { type DriverConfig, isIntended } from './mariadb-internals.ts'

/** Time limits of one login, and how it is ended. */
export interface LoginLimits {
  /** Aborts the login. */
  readonly signal: AbortSignal
  /** Longest time from the call until the connection is ready, in milliseconds. */
  readonly timeoutMs: number
  /** Longest time for the TCP connection, in milliseconds. @defaultValue `timeoutMs` */
  readonly tcpTimeoutMs?: number
  /** Ends the connection at once, by `error` if there is one. */
  readonly destroy: (error?: Error) => void
  /** Starts the limit of `timeoutMs` in place of a plain timer. Returns the function that stops it. */
  readonly limitTime?: (timeoutError: () => Error, abort: (error: Error) => void) => () => void
  /** Work that belongs to the login, within the same time limit. */
  readonly afterwards?: (connection: Connection) => Promise<void>
}

/**
 * Logs in over `socket`, which may still be connecting.
 *
 * @throws the error of the driver, the network or the server
 */
export async function logIn(
  socket: Duplex,
  config: ConnectionConfig,
  { signal, timeoutMs, tcpTimeoutMs = timeoutMs, destroy, limitTime, afterwards }: LoginLimits,
): Promise<Connection> {
  const abort = () => destroy()
  signal.addEventListener('abort', abort)
  const timeoutError = () => loginTimeoutError(timeoutMs)
  const stopTimeLimit = limitTime
    ? limitTime(timeoutError, destroy)
    : startTimeLimit(timeoutMs, () => destroy(timeoutError()))
  // It begins later, so that the limit of the login reports itself where both are as long.
  const stopTcpLimit = startTimeLimit(tcpTimeoutMs, () => destroy(tcpTimeoutError(tcpTimeoutMs)))
  socket.once('connect', stopTcpLimit)
  try {
    signal.throwIfAborted()
    const connection = await createConnection(driverConfig(socket, config))
    // Without a listener mariadb throws the errors that occur between queries.
    connection.on('error', () => {})
    signal.throwIfAborted()
    await afterwards?.(connection)
    return connection
  } catch (error) {
    destroy()
    socket.destroy()
    throw isIntended(error) ? error : unreadable(error)
  } finally {
    stopTimeLimit()
    stopTcpLimit()
    signal.removeEventListener('abort', abort)
  }
}

function driverConfig(socket: Duplex, config: ConnectionConfig): DriverConfig {
  const options: DriverConfig = {
    ...config,
    stream: (use) => use(undefined, socket as Socket),
    // mariadb's timer can fire although the answer of the server is in the socket.
    connectTimeout: 0,
    permitRedirect: false,
    // Prepared statements would leak: https://github.com/prisma/orm/issues/29364
    prepareCacheLength: 0,
  }
  // mariadb reads inherited options as well: a polluted Object.prototype could redirect the connection.
  return Object.assign(Object.create(null), options)
}

function loginTimeoutError(timeoutMs: number): Error {
  return timeoutError(
    `The login was not complete within ${timeoutMs} ms (connectTimeoutMs). Check that host and port lead to the database, and that it is not overloaded.`,
  )
}

function tcpTimeoutError(timeoutMs: number): Error {
  return timeoutError(
    `No TCP connection within ${timeoutMs} ms (tcpTimeoutMs). Check the address, the security group and the route.`,
  )
}

/** Returns an error in the shape of Node's own network errors. */
function timeoutError(message: string): Error {
  return Object.assign(new Error(message), { code: 'ETIMEDOUT', syscall: 'connect' })
}
