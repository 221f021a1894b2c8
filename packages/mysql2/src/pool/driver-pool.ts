import { AuroraIamError, describe } from '@aurora-iam/core/adapter'
import type { Pool, PoolConnection } from 'mysql2'

/**
 * Returns the pool of mysql2's callback API that `pool` is, or that its promise API wraps.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for another object: a single connection, a cluster,
 * options
 */
export function driverPoolOf(pool: unknown): Pool {
  const driverPool = ((pool as { pool?: unknown } | undefined | null)?.pool ?? pool) as
    | Partial<Pool>
    | undefined
  if (typeof driverPool?.getConnection === 'function' && typeof driverPool.releaseConnection === 'function')
    return driverPool as Pool
  throw new AuroraIamError(
    'ERR_AURORA_IAM_INVALID_OPTION',
    `pool: expected a pool that mysql2's createPool returned, got ${describe(pool)}. The pools of a PoolCluster cannot be reached.`,
    { option: 'pool' },
  )
}

/** Returns a connection of `pool`, as its promise API does. */
export function getConnection(pool: Pool): Promise<PoolConnection> {
  return new Promise((resolve, reject) =>
    pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection))),
  )
}
