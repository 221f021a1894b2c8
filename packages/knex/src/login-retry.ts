import { setImmediate } from 'node:timers/promises'
import { type AuroraIam, AuroraIamError } from '@aurora-iam/core'
import { adapterIam, describe } from '@aurora-iam/core/adapter'
import knex, { type Knex } from 'knex'

type Mysql2Client = typeof Knex.Client

/**
 * The same configuration, whose logins are repeated once when the database refuses a token that had been at hand for
 * a while: its credentials were revoked, a role was changed, a key was rotated. The token is dropped and the
 * credentials are asked for anew; the repetition waits for its own place under the rate limit. Of many connections
 * that are refused together one tries first, at most once in 5 seconds, and the others follow if it got in. A token
 * that had just been made is not tried again.
 *
 * ```ts
 * const iam = createAuroraIam()
 * const db = knex(withLoginRetry(withAuroraIam({ client: 'mysql2', connection: { host, user, database } }, iam), iam))
 * ```
 *
 * @param config - what `withAuroraIam` returned with the same `iam`. `client` may be a class on Knex's mysql2 client
 * instead of its name
 * @returns a copy of `config` whose `client` is a class, as Knex allows. The instance that Knex makes of it calls
 * itself `'mysql2'`, in `client.driverName` and in `client.config.client`
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for another `client`
 */
export function withLoginRetry(config: Knex.Config, iam: AuroraIam): Knex.Config {
  const { client } = config
  if (typeof client === 'function') return { ...config, client: retrying(client, iam) }
  if (client === 'mysql2') return { ...config, client: retrying(mysql2Client(), iam) }
  throw new AuroraIamError(
    'ERR_AURORA_IAM_INVALID_OPTION',
    `client: expected 'mysql2', or a class on Knex's mysql2 client, got ${describe(client)}.`,
    { option: 'client' },
  )
}

/** Knex exports the class that all its clients extend, but not this one. Without a connection it loads no driver. */
function mysql2Client(): Mysql2Client {
  return knex({ client: 'mysql2' }).client.constructor
}

// Knex's pool opens its connections by `acquireRawConnection`, and by nothing else.
function retrying(Client: Mysql2Client, iam: AuroraIam): Mysql2Client {
  const adapter = adapterIam(iam)
  return class extends Client {
    constructor(config: Knex.Config) {
      super({ ...config, client: 'mysql2' })
    }

    override async acquireRawConnection() {
      try {
        return await adapter.retryRefused(() => super.acquireRawConnection())
      } catch (error) {
        // Those who waited for one repetition fail together. Of failures in one turn of the event loop Knex's pool
        // tells one query, and connects again for the others: each gets a turn of its own.
        await setImmediate()
        throw error
      }
    }
  }
}
