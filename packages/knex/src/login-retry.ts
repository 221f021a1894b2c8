import { setImmediate } from 'node:timers/promises'
import type { AdapterIam } from '@aurora-iam/core/adapter'
import knex, { type Knex } from 'knex'

/** A class of Knex's `client` option that is built on mysql2. */
export type Mysql2Client = typeof Knex.Client

/**
 * Returns a class for Knex's `client` option that repeats a login once, through `iam.retryRejected`. Knex's pool opens
 * its connections by `acquireRawConnection`, and by nothing else.
 *
 * @param client - `'mysql2'`, or a class that extends Knex's mysql2 client
 */
export function retryingClient(client: Knex.Config['client'], iam: AdapterIam): Mysql2Client {
  const Client = typeof client === 'function' ? (client as Mysql2Client) : mysql2Client()
  return class extends Client {
    constructor(config: Knex.Config) {
      super({ ...config, client: 'mysql2' })
    }

    override async acquireRawConnection() {
      try {
        return await iam.retryRejected(() => super.acquireRawConnection())
      } catch (error) {
        // Callers that wait for one repetition fail together. Of failures in one iteration of the event loop
        // Knex's pool reports one to a query, and connects again for the others: each failure gets its own iteration.
        await setImmediate()
        throw error
      }
    }
  }
}

/** Returns Knex's client class for mysql2, which Knex does not export. Without a connection it loads no driver. */
function mysql2Client(): Mysql2Client {
  return knex({ client: 'mysql2' }).client.constructor
}
