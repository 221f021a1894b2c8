import type { PoolLifetime } from '@aurora-iam/core/adapter'
import { sessionOf } from '../auth/sessions.ts'
import type { AuthenticatingConnection } from '../driver-types.ts'
import { onServerError } from './server-errors.ts'

/** The slice of an open mysql2 connection that its lifetime needs. mysql2's types leave out `stream`. */
export interface OpenConnection extends Pick<AuthenticatingConnection['connection'], 'stream'> {
  destroy(): void
}

/**
 * Lifetime of the connections of one pool, reported by the events of a pool of mysql2. Connections with a password have
 * none.
 */
export class DriverLifetime {
  #lifetime: PoolLifetime<OpenConnection> | undefined

  /** Adds a connection that has logged in. It is in use. */
  opened(connection: OpenConnection): void {
    const session = sessionOf(connection)
    if (!session) return
    this.#lifetime ??= session.iam.poolLifetime(session.target, {
      remoteAddress: ({ stream }) => stream.remoteAddress,
      close: (idle) => idle.destroy(),
    })
    const lifetime = this.#lifetime
    lifetime.opened(connection)
    connection.stream.once('error', (error) => lifetime.broke(connection, error))
    connection.stream.once('close', () => lifetime.closed(connection))
    onServerError(connection.stream, (error) => lifetime.failed(connection, error))
  }

  /** Marks a connection as in use. */
  acquired(connection: OpenConnection): void {
    this.#lifetime?.acquired(connection)
  }

  /** Marks a connection as idle, and closes it if it is retired. */
  released(connection: OpenConnection): void {
    this.#lifetime?.released(connection)
  }

  /** Returns true for a connection that the pool must close instead of handing it out. */
  mustClose(connection: OpenConnection): boolean {
    return this.#lifetime?.mustClose(connection) ?? false
  }
}
