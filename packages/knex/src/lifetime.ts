import { DriverLifetime, type OpenConnection } from '@aurora-iam/mysql2/adapter'
import type { Knex } from 'knex'

/** Options of Knex's pool that a lifetime needs. The types of Knex 3.0 leave out `validate`. */
interface PoolHooks {
  readonly afterCreate?: (connection: OpenConnection, done: (error?: Error | null) => void) => void
  readonly validate?: (connection: OpenConnection) => boolean | Promise<boolean>
}

/**
 * Returns Knex's `pool` option with the lifetime of its connections. The caller's own `afterCreate` and `validate` are
 * called as well.
 *
 * Assumption 6: Knex asks `validate` before it hands out an open connection, and replaces one that fails. Knex before
 * 3.3 ignores it: there connections have no lifetime (https://github.com/knex/knex/pull/6290).
 */
export function managedPoolOptions(pool: Knex.PoolConfig | undefined): Knex.PoolConfig {
  const { afterCreate, validate } = (pool ?? {}) as PoolHooks
  const lifetime = new DriverLifetime()
  const hooks: PoolHooks = {
    afterCreate: (connection, done) => {
      lifetime.opened(connection)
      if (afterCreate) afterCreate(connection, done)
      else done(null)
    },
    validate: (connection) => !lifetime.mustClose(connection) && (validate?.(connection) ?? true),
  }
  return { ...pool, ...hooks } as Knex.PoolConfig
}
