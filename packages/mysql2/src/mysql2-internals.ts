import { channel } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Pool } from 'mysql2'
import type { AuthenticatingConnection } from './driver-types.ts'

/**
 * Minor releases of mysql2 in which each assumption was tested. The caller brings the driver, so package.json admits
 * more: a release that breaks an assumption costs an error its code, or a connection, but sends no token. The next
 * minor is added here after `test/mysql2-internals.test.ts` has passed with it.
 *
 * Each function of this file has its assumptions in its comment. Two more are in the code that needs them:
 *
 * - Assumption 1, `connect/deferred-socket.ts`: `connection.destroy()` ends the stream and does not destroy it
 *   (https://github.com/sidorares/node-mysql2/issues/670).
 * - Assumption 2, `connect/pending-logins.ts`: `stream` gets the object that is `connection.config` later. Since 3.23.3
 *   each connection has a separate one.
 */
export const TESTED_MINORS: readonly string[] = ['3.15', '3.22', '3.24']

/** A connection whose handshake mysql2 reports. */
export interface TracedConnection {
  /** Called with the error by which mysql2 ends the handshake. */
  readonly onDriverError: (error: Error) => void
}

/** The connection that mysql2 constructs at this moment. */
let constructing: TracedConnection | undefined
let isSubscribed = false

/** By the object that mysql2 publishes for each connection. */
const traced = new WeakMap<object, TracedConnection | undefined>()

/**
 * Reports the error by which mysql2 ends the handshake of a connection: the object that the caller gets. It is the only
 * public way to an error before the server asks for a password, such as a certificate that is not trusted.
 *
 * Assumption 3: mysql2 publishes `tracing:mysql2:connect:start` at the end of the constructor that calls `stream`, so
 * no other connection comes in between. `…:error` has the same object, with the error. Releases before 3.20 publish
 * nothing: there the reports are made of what the socket saw.
 *
 * @see https://github.com/sidorares/node-mysql2/pull/4178
 */
export function traceConnection(connection: TracedConnection): void {
  if (!isSubscribed) {
    isSubscribed = true
    channel('tracing:mysql2:connect:start').subscribe((context) => {
      traced.set(context as object, constructing)
      constructing = undefined
    })
    channel('tracing:mysql2:connect:error').subscribe((context) => {
      traced.get(context as object)?.onDriverError((context as { error: Error }).error)
    })
  }
  constructing = connection
}

/** Ends the construction. To be called in the next microtask: the constructor of mysql2 is synchronous. */
export function constructed(): void {
  constructing = undefined
}

type ErrorListener = (error: Error) => void

/** Returns the listeners for errors of a socket. Those of TLS are not among them before TLS has begun. */
export function errorListeners(socket: Socket): readonly ErrorListener[] {
  return socket.listeners('error') as ErrorListener[]
}

/**
 * Reports `error` to mysql2 before this function returns: a socket that is destroyed emits its error later.
 *
 * Assumption 4: mysql2 adds an `error` listener to the socket once `stream` has returned it. It passes the error to the
 * caller unchanged, and throws it when no listener is left. The listener that mysql2 adds when TLS begins is another
 * one: it writes `HANDSHAKE_SSL_ERROR` over the code.
 */
export function reportError(socket: Socket, listeners: readonly ErrorListener[], error: Error): void {
  try {
    for (const listener of listeners) listener.call(socket, error)
  } catch (thrown) {
    if (thrown !== error) throw thrown
  }
}

const tolerant = new WeakSet<EventEmitter>()

/**
 * Keeps all but the first error of `connection` from being thrown at the process. The first one is emitted as without
 * this: without a listener it is thrown.
 *
 * Assumption 5: mysql2's pool listens for the first error of a connection alone. What breaks afterwards, as the
 * connection is being closed, has no listener left.
 *
 * @see https://github.com/sidorares/node-mysql2/issues/1085
 */
export function tolerateLateErrors(connection: EventEmitter): void {
  if (tolerant.has(connection)) return
  tolerant.add(connection)
  // Before the pool's own listener, which would be gone by then.
  connection.prependOnceListener('error', (error) => {
    if (connection.listenerCount('error') === 0) throw error
    connection.on('error', () => {})
  })
}

/**
 * Returns true if the peer of `connection` has been verified: its certificate chain and its host name.
 *
 * Assumption 6: since 3.14.4 `connection.stream` is the TLS socket, with the `encrypted` and `authorized` of Node, and
 * `config.ssl.verifyIdentity` makes mysql2 check the host name.
 */
export function isPeerVerified({ stream, config }: AuthenticatingConnection['connection']): boolean {
  return (
    stream.encrypted === true &&
    stream.authorized === true &&
    (config.ssl || undefined)?.verifyIdentity === true
  )
}

/**
 * Returns the options of the connections of a pool.
 *
 * Assumption 7: they are in `pool.config.connectionConfig`. mysql2's types declare them in `pool.config`.
 */
export function connectionOptionsOf(pool: Pool): Pool['config'] | undefined {
  const config = pool.config as (Pool['config'] & { connectionConfig?: Pool['config'] }) | undefined
  return config?.connectionConfig ?? config
}

/**
 * Returns a view of `pool` with another `getConnection`.
 *
 * Assumption 8: `query`, `execute` and `promise()` take their connections from `this.getConnection`, which is a public
 * method, so the view serves them all.
 */
export function poolView(pool: Pool, getConnection: Pool['getConnection']): Pool {
  return new Proxy(pool, {
    get: (target, name, view) => (name === 'getConnection' ? getConnection : Reflect.get(target, name, view)),
  })
}

type Query = AuthenticatingConnection['connection']['query']

/**
 * Queues a query before those that wait for the handshake to end. To be called within it.
 *
 * Assumption 9: during the handshake a query becomes the last of `connection._commands`, a double-ended queue.
 */
export function queryFirst(
  connection: AuthenticatingConnection['connection'],
  ...[options, callback]: Parameters<Query>
): void {
  const { _commands: queued } = connection
  const before = queued.length
  connection.query(options, callback)
  if (queued.length > before) queued.unshift(queued.pop())
}
