import type { PoolLifetime } from '@aurora-iam/core/adapter'
import type { Pool, PoolConnection } from 'mysql2'
import type { Pool as PromisePool } from 'mysql2/promise'
import { sessionOf } from '../auth/sessions.ts'
import type { AuthenticatingConnection } from '../driver-types.ts'
import { poolView } from './pool-view.ts'
import { onServerError } from './server-errors.ts'

type GetConnection = Pool['getConnection']

/** mysql2's types leave out `stream`. */
type OpenConnection = PoolConnection & Pick<AuthenticatingConnection['connection'], 'stream'>

/**
 * Returns a view of `pool` that replaces connections which should not be used any longer: their lifetime is over
 * (`maxLifetimeMs`), their endpoint leads to another address (`watchEndpointMs`), or their server was demoted and
 * refuses changes (`retireDemoted`). Idle connections are closed at once, those in use when they return. mysql2 opens the
 * replacement when it is needed, under the rate limit.
 *
 * ```ts
 * const pool = managedPool(mysql.createPool(withAuroraIam({ host, user, database })))
 * ```
 *
 * @param pool - mysql2's pool, of its callback or its promise API, with options of `withAuroraIam`. It is not changed
 * @returns a view to use in place of `pool`
 */
export function managedPool<P extends Pool | PromisePool>(pool: P): P {
  if ('pool' in pool) return managing(pool.pool).promise() as P
  return managing(pool) as P
}

function managing(pool: Pool): Pool {
  let lifetime: PoolLifetime<OpenConnection> | undefined
  pool.on('connection', (connection: OpenConnection) => {
    // A connection with a password has none.
    const session = sessionOf(connection)
    if (!session) return
    lifetime ??= session.iam.poolLifetime(session.target, {
      remoteAddress: ({ stream }) => stream.remoteAddress,
      close: (idle) => idle.destroy(),
    })
    const managed = lifetime
    managed.opened(connection)
    connection.stream.once('close', () => managed.closed(connection))
    onServerError(connection.stream, (error) => managed.failed(connection, error))
  })
  pool.on('acquire', (connection: OpenConnection) => lifetime?.acquired(connection))
  pool.on('release', (connection: OpenConnection) => lifetime?.released(connection))
  // A connection that goes from one caller to the next emits neither `release` nor `acquire`.
  const getConnection: GetConnection = (callback) =>
    pool.getConnection((error, connection) => {
      if (error || !lifetime?.isRetired(connection as OpenConnection)) return callback(error, connection)
      connection.destroy()
      getConnection(callback)
    })
  return poolView(pool, getConnection)
}
