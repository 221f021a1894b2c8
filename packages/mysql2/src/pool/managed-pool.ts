import type { Pool } from 'mysql2'
import { markManaged } from '../hooks-registry.ts'
import { connectionOptionsOf } from '../mysql2-internals.ts'
import { DriverLifetime, type OpenConnection } from './driver-lifetime.ts'
import { driverPoolOf } from './driver-pool.ts'
import type { RetryablePool } from './login-retry.ts'
import { addLayer, hasLayer } from './pool-layers.ts'

// By the configuration of a pool, which its views share.
const lifetimes = new WeakMap<object, DriverLifetime>()

/**
 * Returns a view of `pool` that replaces connections which should not be used any longer: their lifetime is over
 * (`maxLifetimeMs`), their endpoint leads to another address (`watchEndpointMs`), or their server was demoted and
 * refuses changes (`retireDemoted`). Idle connections are closed at once, those in use when they return. mysql2 opens
 * the replacement when it is needed, under the rate limit. See `docs/connection-lifetime.md`.
 *
 * ```ts
 * const pool = managedPool(mysql.createPool(withAuroraIam({ host, user, database })))
 * ```
 *
 * @param pool - mysql2's pool, of its callback or its promise API, with options of `withAuroraIam`. It is not changed
 * @returns a view to use in place of `pool`; `pool` itself where it is such a view
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for another object than a pool
 */
export function managedPool<P extends RetryablePool>(pool: P): P {
  const driverPool = driverPoolOf(pool)
  const managed = manageConnections(driverPool)
  if (managed === driverPool) return pool
  return ('pool' in pool ? managed.promise() : managed) as unknown as P
}

/** Returns the view of a pool of mysql2's callback API. */
export function manageConnections(pool: Pool): Pool {
  if (hasLayer(pool, 'lifetime')) return pool
  const lifetime = lifetimes.get(pool.config) ?? startLifetime(pool)
  // A connection that goes from one caller to the next emits neither `release` nor `acquire`.
  const getConnection: Pool['getConnection'] = (callback) =>
    pool.getConnection((error, connection) => {
      if (error || !lifetime.mustClose(connection as unknown as OpenConnection))
        return callback(error, connection)
      connection.destroy()
      getConnection(callback)
    })
  return addLayer(pool, 'lifetime', getConnection)
}

/** Starts the one lifetime of the connections of a pool. */
function startLifetime(pool: Pool): DriverLifetime {
  const lifetime = new DriverLifetime()
  lifetimes.set(pool.config, lifetime)
  markManaged(connectionOptionsOf(pool))
  pool.on('connection', (connection: OpenConnection) => lifetime.opened(connection))
  pool.on('acquire', (connection: OpenConnection) => lifetime.acquired(connection))
  pool.on('release', (connection: OpenConnection) => lifetime.released(connection))
  return lifetime
}
