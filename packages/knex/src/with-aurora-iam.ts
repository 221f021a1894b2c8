import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import { adapterIam, ownProperties } from '@aurora-iam/core/adapter'
import type { Knex } from 'knex'
import { assertConfig } from './config.ts'
import { connectionWithHooks } from './connection.ts'
import { managedPoolOptions } from './lifetime.ts'
import { retryingClient } from './login-retry.ts'
import { alignTimeouts, callerLimitOf } from './timeouts.ts'

/**
 * Returns Knex's own `config` with a live IAM token, verified TLS and a permit of the rate limit for each new
 * connection, and with pool time-outs that leave room for the wait. It opens nothing, and the object that is passed in
 * stays unchanged.
 *
 * ```ts
 * const db = knex(withAuroraIam({ client: 'mysql2', connection: { host, user, database } }))
 * ```
 *
 * @param given - Knex's configuration. `client` is `'mysql2'` or a class that extends Knex's mysql2 client,
 * `connection` is an object without a password
 * @param iam - options, or an {@link AuroraIam} to share between instances. @defaultValue the AWS SDK's defaults
 * @returns a copy of `config` whose `connection` is a function, as Knex allows. It always returns the same settings,
 * without an `expirationChecker`: Knex renews nothing, and closes no healthy connection. Pool time-outs that the caller
 * left out may be longer than Knex's own. With `retryRejectedLogins` the `client` is a class
 * @throws {@link AuroraIamError} for everything that is wrong with the configuration
 */
export function withAuroraIam(given: Knex.Config, iam?: AuroraIam | AuroraIamOptions): Knex.Config {
  const shared = adapterIam(iam)
  const config: Knex.Config = ownProperties(given)
  assertConfig(config)
  const own: Knex.Config = ownProperties({ ...config, pool: ownProperties(config.pool ?? {}) })
  const connection = connectionWithHooks(config.connection, shared, { callerLimit: callerLimitOf(own) })
  if (!shared.enabled) return { ...config, connection }
  const aligned = alignTimeouts(own, connection.connectTimeout, shared.longestWaitMs)
  return {
    ...config,
    ...aligned,
    pool: managedPoolOptions(ownProperties(aligned.pool ?? own.pool)),
    connection: () => connection,
    ...(shared.retryRejectedLogins && { client: retryingClient(config.client, shared) }),
  }
}
