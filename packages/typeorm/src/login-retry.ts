import type { AdapterIam } from '@aurora-iam/core/adapter'
import { retryLogins } from '@aurora-iam/mysql2/adapter'
import mysql2, { type PoolOptions } from 'mysql2'

/**
 * Returns `driver`, or mysql2, with pools that open their connections through `iam.retryRefused`. Clusters stay
 * unchanged: for `replication` mysql2 itself tries a failed login again.
 */
export function retryingDriver(driver: typeof mysql2 | undefined, iam: AdapterIam): typeof mysql2 {
  const given = driver ?? mysql2
  return {
    ...given,
    createPool: (config: string | PoolOptions) => retryLogins(given.createPool(config as PoolOptions), iam),
  }
}
