import type { EventEmitter } from 'node:events'

const tolerant = new WeakSet<EventEmitter>()

/**
 * Keeps all but the first error of `connection` from being thrown at the process. mysql2 tells its pool the first one,
 * and the pool then stops listening; what breaks afterwards, as the connection is being closed, has no listener left.
 * The first one is emitted as without this: without a listener it is thrown.
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
