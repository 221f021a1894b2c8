import type { Pool } from 'mysql2'

/**
 * Returns a view of `pool` with another `getConnection`. mysql2's own `query`, `execute` and `promise` take their
 * connections from `this.getConnection`, which is a public method, so it serves them all.
 */
export function poolView(pool: Pool, getConnection: Pool['getConnection']): Pool {
  return new Proxy(pool, {
    get: (target, name, view) => (name === 'getConnection' ? getConnection : Reflect.get(target, name, view)),
  })
}
