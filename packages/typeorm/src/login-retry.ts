import type { AuroraIam } from '@aurora-iam/core'
import { withLoginRetry as retrying } from '@aurora-iam/mysql2'
import mysql2, { type PoolOptions } from 'mysql2'
import type { MysqlDataSourceOptions } from './data-source-types.ts'

/**
 * The same options, with logins that are repeated once when the database refuses a token that had been at hand for a
 * while: its credentials were revoked, a role was changed, a key was rotated. The token is dropped and the
 * credentials are asked for anew; the repetition waits for its own place under the rate limit. Of many connections
 * that are refused together one tries first, at most once in 5 seconds, and the others follow if it got in. A token
 * that had just been made is not tried again.
 *
 * ```ts
 * const iam = createAuroraIam()
 * const options = withAuroraIam({ type: 'mysql', host, username, database, entities }, iam)
 * const dataSource = new DataSource(withLoginRetry(options, iam))
 * ```
 *
 * With `replication` nothing changes: there mysql2 repeats failed logins by itself.
 *
 * @param options - what `withAuroraIam` returned with the same `iam`
 * @returns a copy of `options` whose `driver` is mysql2, or the `driver` that was given, with pools that repeat
 */
export function withLoginRetry<T extends MysqlDataSourceOptions>(options: T, iam: AuroraIam): T {
  const driver: typeof mysql2 = options.driver ?? mysql2
  const createPool = (config: PoolOptions) => retrying(driver.createPool(config), iam)
  return { ...options, driver: { ...driver, createPool } }
}
