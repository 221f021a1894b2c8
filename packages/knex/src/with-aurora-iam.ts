import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import { adapterIam } from '@aurora-iam/core/adapter'
import type { Knex } from 'knex'
import { assertConfig } from './config.ts'
import { auroraIamConnection } from './connection.ts'
import { alignTimeouts } from './timeouts.ts'

/**
 * Returns Knex's own `config` with a live IAM token, verified TLS and a place under the connection rate on every new
 * connection, and with pool time-outs that leave room for the wait. The object that is passed in is left as it is.
 *
 * ```ts
 * const db = knex(withAuroraIam({ client: 'mysql2', connection: { host, user, database } }))
 * ```
 *
 * @param config - Knex's configuration: `client: 'mysql2'`, `connection` an object without a password
 * @param iam - options, or an {@link AuroraIam} to share between instances. @defaultValue the AWS SDK's defaults
 * @returns a copy of `config` whose `connection` is a function, as Knex allows. It always returns the same settings,
 * and no `expirationChecker`: Knex has nothing to renew, so it never gives up a healthy connection for a new one.
 * Pool time-outs that the caller left out may be longer than Knex's own; those that were given are kept
 * @throws {@link AuroraIamError} for everything about the configuration that can be known now
 */
export function withAuroraIam(config: Knex.Config, iam?: AuroraIam | AuroraIamOptions): Knex.Config {
  const shared = adapterIam(iam)
  assertConfig(config)
  const connection = auroraIamConnection(config.connection, shared)
  if (!shared.enabled) return { ...config, connection }
  return {
    ...config,
    ...alignTimeouts(config, connection.connectTimeout, shared.longestWaitMs),
    connection: () => connection,
  }
}
