import type { Duplex } from 'node:stream'
import type { Connection, ConnectionConfig, QueryOptions } from 'mariadb'

/**
 * Minor releases of mariadb in which each assumption of this file was tested. package.json admits no other. A new minor
 * is added here after `test/connect/mariadb-internals.test.ts` has passed with it.
 */
export const TESTED_MINORS: readonly string[] = ['3.5']

/**
 * mariadb's own error numbers.
 *
 * @see https://github.com/mariadb-corporation/mariadb-connector-nodejs/blob/3.5.4/lib/misc/errors.js
 */
export const MARIADB_ERRNO = {
  SOCKET_UNEXPECTED_CLOSE: 45_009,
  UNEXPECTED_PACKET: 45_011,
  CONNECTION_TIMEOUT: 45_012,
} as const

/** Options that mariadb reads and its types omit. */
export interface UntypedConfig {
  /** mariadb follows a `redirect_url` of the server, with the password, unless this is false. */
  readonly permitRedirect: false
}

/** Options of one connection, those that the types omit included. */
export type DriverConfig = ConnectionConfig & UntypedConfig

/**
 * Reports to mariadb that the connection over `stream` has ended, by `error` if there is one.
 *
 * Assumption 1: the first `end` listener of a stream that has none of Node's own is `socketErrorHandler(error)`, and it
 * takes its argument for the reason. mariadb has no public call for this. Its `destroy()` opens another connection to
 * kill a running query. An `error` event is no substitute: the TLS socket repeats it after mariadb has removed its
 * listeners, which ends the process.
 *
 * @see https://github.com/mariadb-corporation/mariadb-connector-nodejs/issues/323
 */
export function reportEnd(stream: Duplex, error?: Error): void {
  const [socketErrorHandler] = stream.listeners('end')
  try {
    socketErrorHandler?.call(stream, error)
  } catch {
    // Assumption 2: mariadb throws an error that no command and no `error` listener takes. The opener finds the stream
    // broken.
  }
}

/**
 * Returns mariadb's own `data` listener of `stream`.
 *
 * Assumption 3: when TLS begins mariadb calls `removeAllListeners('data')`, to remove the listener that it added first.
 * On a stream that is no `net.Socket` this would remove the listener of the TLS socket as well.
 */
export function ownDataListener(stream: Duplex): ((...args: unknown[]) => void) | undefined {
  return stream.listeners('data')[0] as ((...args: unknown[]) => void) | undefined
}

/**
 * Pings, and closes the connection when the server has not answered after `timeoutMs`.
 *
 * Assumption 4: `ping` takes a time-out, which the types omit.
 */
export function ping(connection: Connection, timeoutMs: number): Promise<void> {
  return (connection as { ping(timeoutMs: number): Promise<void> }).ping(timeoutMs)
}

/** A prepared statement, with what the types omit. */
export interface PreparedStatement {
  /**
   * Assumption 5: this is no number where the server's answer could not be read. `Connection.execute()` throws there,
   * in a `data` listener, which ends the process.
   */
  readonly parameterCount: number
  execute(values: unknown, options: QueryOptions | undefined): Promise<unknown>
  close(): void
}

/**
 * Returns whether `Connection.execute()` sends PREPARE and EXECUTE at once, and needs no answer in between.
 *
 * Assumption 7: it does so to MariaDB from 10.2.4 on. A server is MariaDB by one bit of its greeting, whatever its
 * version.
 */
export function pipelinesExecute({ info }: Connection): boolean {
  return info?.isMariaDB() === true && info.hasMinVersion(10, 2, 4)
}

/** Prepares `sql`. */
export async function prepare(
  connection: Connection,
  sql: string | QueryOptions,
): Promise<PreparedStatement> {
  return (await connection.prepare(sql)) as unknown as PreparedStatement
}

/**
 * Returns whether `error` is one that mariadb or Node made for its caller.
 *
 * Assumption 6: such errors have a `code`, if only an empty one. Any other was thrown by mistake, at an answer of the
 * server that mariadb cannot read.
 */
export function isIntended(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error
}
