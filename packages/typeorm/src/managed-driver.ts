import type { AdapterIam } from '@aurora-iam/core/adapter'
import { manageConnections, retryLogins } from '@aurora-iam/mysql2/adapter'
import mysql2, { type PoolOptions } from 'mysql2'

/**
 * Returns `driver`, or mysql2, with pools that replace connections at the end of their lifetime, and with
 * `retryRejectedLogins` open them through `iam.retryRejected`. Clusters stay unchanged: mysql2 itself tries a failed
 * login again, and gives no public way to the pools of their nodes.
 *
 * Assumption 3: TypeORM opens its pool by `driver.createPool`, and takes each connection from it by `getConnection`.
 */
export function managedDriver(driver: typeof mysql2 | undefined, iam: AdapterIam): typeof mysql2 {
  const given = driver ?? mysql2
  return {
    ...given,
    createPool: (config: string | PoolOptions) => {
      const pool = manageConnections(given.createPool(config as PoolOptions))
      return iam.retryRejectedLogins ? retryLogins(pool, iam) : pool
    },
  }
}
