import { channel } from 'node:diagnostics_channel'

/** A connection whose handshake mysql2 reports. */
export interface TracedConnection {
  /** True if mysql2 reports it: not before 3.22. */
  isTraced: boolean
  /** Called with the error by which mysql2 ends the handshake. */
  readonly onDriverError: (error: Error) => void
}

/** The connection that mysql2 constructs at this moment. */
let constructing: TracedConnection | undefined
let isSubscribed = false

/** By the object that mysql2 publishes for each connection. */
const traced = new WeakMap<object, TracedConnection>()

/**
 * Reports the error by which mysql2 ends the handshake of a connection: the object that the caller gets. It is the only
 * public way to an error before the server asks for a password, such as a certificate that is not trusted.
 *
 * mysql2 publishes it on its tracing channel, as of 3.22. It does so at the end of the constructor that calls `stream`, so
 * no other connection comes in between. Older releases publish nothing: there the reports are made of what the socket saw.
 *
 * @see https://github.com/sidorares/node-mysql2 lib/tracing.js
 */
export function traceConnection(connection: TracedConnection): void {
  if (!isSubscribed) {
    isSubscribed = true
    channel('tracing:mysql2:connect:start').subscribe((context) => {
      if (!constructing) return
      constructing.isTraced = true
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
