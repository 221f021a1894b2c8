import knex, { type Knex } from 'knex'

/**
 * Minor releases of Knex in which each assumption was tested. The caller brings Knex, so package.json admits more. A
 * release that breaks an assumption costs a repeated login, a lifetime or the error of a query, but sends no token. The
 * next minor is added here after `test/knex-internals.test.ts` has passed with it.
 *
 * What is not named here is public: the `connection` function, `afterCreate`, the time-outs, and the methods
 * `acquireConnection` and `releaseConnection` of `db.client`, which Knex's types declare.
 *
 * Each part of this file has its assumption in its comment. Three more are in the code that needs them:
 *
 * - Assumption 4, `login-retry.ts`: the pool opens its connections by `client.acquireRawConnection()`, and by nothing
 *   else.
 * - Assumption 5, `login-retry.ts`: of failures in one iteration of the event loop the pool, tarn, reports one to a
 *   query, and connects again for the others.
 * - Assumption 6, `lifetime.ts`: the pool asks its option `validate` before it hands out an open connection, and
 *   replaces one that fails. Knex 3.0 ignores the option (https://github.com/knex/knex/pull/6290).
 */
export const TESTED_MINORS: readonly string[] = ['3.0', '3.3']

/**
 * Defaults of Knex and of its pool, tarn. Times are in milliseconds.
 *
 * Assumption 1: these are the values, and of `acquireConnectionTimeout` and `pool.acquireTimeoutMillis` the shorter one
 * counts.
 */
export const POOL_DEFAULTS = {
  max: 10,
  createTimeoutMillis: 30_000,
  acquireConnectionTimeout: 60_000,
} as const

/** A class of Knex's `client` option that is built on mysql2. */
export type Mysql2Client = typeof Knex.Client

/**
 * Returns Knex's client class for mysql2, which Knex does not export.
 *
 * Assumption 2: it is the constructor of `db.client`. Without a `connection` the instance loads no driver and has no
 * pool.
 *
 * @see https://github.com/knex/knex/issues/5836
 */
export function mysql2Client(): Mysql2Client {
  return knex({ client: 'mysql2' }).client.constructor
}

/**
 * Returns true for Knex's client for mysql2: its name, or a class that extends it.
 *
 * Assumption 3: `driverName` of the class's prototype is the name of the driver.
 */
export function isMysql2(client: unknown): boolean {
  if (typeof client !== 'function') return client === 'mysql2'
  return (client as { prototype?: { driverName?: unknown } }).prototype?.driverName === 'mysql2'
}
