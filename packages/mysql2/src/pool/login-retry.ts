import type { AuroraIam } from '@aurora-iam/core'
import { adapterIam } from '@aurora-iam/core/adapter'
import type { Pool, PoolConnection } from 'mysql2'
import type { Pool as PromisePool } from 'mysql2/promise'
import { poolView } from './pool-view.ts'

type GetConnection = Pool['getConnection']

/**
 * The same pool, whose logins are repeated once when the database refuses a token that had been at hand for a while:
 * its credentials were revoked, a role was changed, a key was rotated. The token is dropped and the credentials are
 * asked for anew; the repetition waits for its own place under the rate limit. Of many connections that are refused
 * together one tries first, at most once in 5 seconds, and the others follow if it got in. A token that had just
 * been made is not tried again.
 *
 * ```ts
 * const iam = createAuroraIam()
 * const pool = withLoginRetry(mysql.createPool(withAuroraIam({ host, user, database }, iam)), iam)
 * ```
 *
 * @param pool - mysql2's pool, of its callback or its promise API; it is left as it is. Its options must come from
 * `withAuroraIam` with the same `iam`
 * @returns a view of `pool` to use in its place
 */
export function withLoginRetry<P extends Pool | PromisePool>(pool: P, iam: AuroraIam): P {
  if ('pool' in pool) return retrying(pool.pool, iam).promise() as P
  return retrying(pool, iam) as P
}

function retrying(pool: Pool, iam: AuroraIam): Pool {
  const adapter = adapterIam(iam)
  const getConnection: GetConnection = (callback) => {
    const open = () =>
      new Promise<PoolConnection>((resolve, reject) =>
        pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection))),
      )
    adapter.retryRefused(open).then(
      // Outside of the promise, so that what the callback throws is not taken for a rejection.
      (connection) => process.nextTick(callback, null, connection),
      (error) => process.nextTick(callback, error),
    )
  }
  return poolView(pool, getConnection)
}
