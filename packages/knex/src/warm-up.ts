import { openTogether, type WarmUpOptions } from '@aurora-iam/core/adapter'
import type { Knex } from 'knex'
import { POOL_DEFAULTS } from './knex-internals.ts'

/**
 * Opens connections of Knex's pool before they are needed: for a readiness probe, and after a deployment. They are
 * opened at the pace of the rate limit, behind connections that a request needs.
 *
 * ```ts
 * await warmUp(db, 10)
 * ```
 *
 * @param db - an instance of Knex
 * @param count - how many connections are open afterwards, from 1 to `pool.max`
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for another `count`
 * @throws the first error of a connection that cannot be opened
 */
export async function warmUp(db: Knex, count: number, options?: WarmUpOptions): Promise<void> {
  const { client } = db
  const pool = {
    acquire: async () => client.acquireConnection(),
    release: (connection: unknown) => client.releaseConnection(connection),
    size: client.config.pool?.max ?? POOL_DEFAULTS.max,
  }
  await openTogether(pool, count, options)
}
