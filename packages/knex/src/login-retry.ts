import { setImmediate } from 'node:timers/promises'
import type { AdapterIam } from '@aurora-iam/core/adapter'
import type { Knex } from 'knex'
import { type Mysql2Client, mysql2Client } from './knex-internals.ts'

/** The client that a class of {@link retryingClient} extends. */
const extended = new WeakMap<object, Mysql2Client>()

/**
 * Returns a class for Knex's `client` option that repeats a login once, through `iam.retryRejected`.
 *
 * Assumption 4: Knex's pool opens its connections by `acquireRawConnection`, and by nothing else.
 *
 * @param client - `'mysql2'`, or a class that extends Knex's mysql2 client. The class of an earlier call is replaced
 */
export function retryingClient(client: Knex.Config['client'], iam: AdapterIam): Mysql2Client {
  const given = typeof client === 'function' ? (client as Mysql2Client) : mysql2Client()
  const Client = extended.get(given) ?? given
  const Retrying = class extends Client {
    constructor(config: Knex.Config) {
      super({ ...config, client: 'mysql2' })
    }

    override async acquireRawConnection() {
      try {
        return await iam.retryRejected(() => super.acquireRawConnection())
      } catch (error) {
        // Callers that wait for one repetition fail together. Assumption 5: of failures in one iteration of the event
        // loop Knex's pool reports one to a query, and connects again for the others. So each failure gets an
        // iteration.
        await setImmediate()
        throw error
      }
    }
  }
  extended.set(Retrying, Client)
  return Retrying
}
