import { openTogether, type WarmUpOptions } from '@aurora-iam/core/adapter'
import type { PoolConnection } from 'mysql2'
import { driverPoolOf, getConnection } from './driver-pool.ts'
import type { RetryablePool } from './login-retry.ts'

/**
 * Opens connections of a pool before they are needed: for a readiness probe, and after a deployment. They are opened at
 * the pace of the rate limit, behind connections that a request needs.
 *
 * ```ts
 * await warmUp(pool, 10)
 * ```
 *
 * @param pool - mysql2's pool, of its callback or its promise API
 * @param count - how many connections are open afterwards, from 1 to the pool's `connectionLimit`
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for another `count`
 * @throws the first error of a connection that cannot be opened
 */
export async function warmUp(pool: RetryablePool, count: number, options?: WarmUpOptions): Promise<void> {
  const callbacks = driverPoolOf(pool)
  const actions = {
    acquire: () => getConnection(callbacks),
    release: (connection: PoolConnection) => connection.release(),
    size: callbacks.config.connectionLimit || Infinity,
  }
  await openTogether(actions, count, options)
}
