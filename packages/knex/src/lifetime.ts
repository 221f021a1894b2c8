import { DriverLifetime, type OpenConnection } from '@aurora-iam/mysql2/adapter'
import type { Knex } from 'knex'

/** Options of Knex's pool that a lifetime needs. The types of Knex 3.0 leave out `validate`. */
interface PoolHooks {
  readonly afterCreate?: (connection: OpenConnection, done: (error?: Error | null) => void) => void
  readonly validate?: (connection: OpenConnection) => boolean | Promise<boolean>
}

type Hooks = Required<PoolHooks>

/** The caller's own hooks, by those of {@link managedPoolOptions} around them. */
const ownHooks = new WeakMap<Hooks[keyof Hooks], PoolHooks>()

/**
 * Returns Knex's `pool` option with the lifetime of its connections. The caller's own `afterCreate` and `validate` are
 * called as well. Hooks of an earlier call, in options that were copied from its result, are not: each connection would
 * have two lifetimes.
 *
 * Assumption 6: Knex asks `validate` before it hands out an open connection, and replaces one that fails. Knex before
 * 3.3 ignores it: there connections have no lifetime (https://github.com/knex/knex/pull/6290).
 */
export function managedPoolOptions(pool: Knex.PoolConfig | undefined): Knex.PoolConfig {
  const given = (pool ?? {}) as PoolHooks
  const afterCreate = ownHook(given, 'afterCreate')
  const validate = ownHook(given, 'validate')
  const lifetime = new DriverLifetime()
  const hooks: Hooks = {
    afterCreate: (connection, done) => {
      lifetime.opened(connection)
      if (afterCreate) afterCreate(connection, done)
      else done(null)
    },
    validate: (connection) => !lifetime.mustClose(connection) && (validate?.(connection) ?? true),
  }
  for (const hook of Object.values(hooks)) ownHooks.set(hook, { afterCreate, validate } as PoolHooks)
  return { ...pool, ...hooks } as Knex.PoolConfig
}

function ownHook<Name extends keyof Hooks>(given: PoolHooks, name: Name): PoolHooks[Name] {
  const hook = given[name]
  const own = hook && ownHooks.get(hook)
  return own ? own[name] : hook
}
