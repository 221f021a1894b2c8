/**
 * Minor releases of TypeORM in which each assumption was tested. The caller brings TypeORM, so package.json admits
 * more. A release that breaks an assumption costs a connection, a lifetime or a clear error, but sends no token. The
 * next minor is added here after `test/typeorm-internals.test.ts` has passed with it.
 *
 * This package reads no private field and replaces no method. It assumes what TypeORM does with its public options,
 * which its documentation leaves open. Each part of this file has its assumption in its comment. Four more are in the
 * code that needs them:
 *
 * - Assumption 3, `managed-driver.ts`: without `replication` TypeORM opens one pool by `createPool` of the option
 *   `driver`, and takes each connection from it by `getConnection`.
 * - Assumption 4, `with-aurora-iam.ts`: TypeORM 0.3 loads `mysql` unless `connectorPackage` is `'mysql2'`, and warns
 *   about a `driver` without it (https://github.com/typeorm/typeorm/pull/8771).
 * - Assumption 5, `shared-ssl.ts` and `replication.ts`: each node gets the `ssl` beside `replication`, and the `ssl` of
 *   a node is ignored (https://github.com/typeorm/typeorm/issues/8409). The whole of `replication` goes to mysql2's cluster.
 * - Assumption 6, `url.ts`: the parts of a `url` win over the options beside it, and what comes after `?` is ignored.
 */
export const TESTED_MINORS: readonly string[] = ['0.3', '1.1']

/**
 * Options of mysql2 that have a separate option in TypeORM, with its name.
 *
 * Assumption 1: TypeORM puts `extra` over everything else, for all nodes alike.
 */
export const OWN_OPTION: ReadonlyArray<readonly [inExtra: string, own: string]> = [
  ['host', 'host'],
  ['port', 'port'],
  ['user', 'username'],
  ['uri', 'url'],
  ['ssl', 'ssl'],
  ['connectTimeout', 'connectTimeout'],
]

/** Default of mysql2's `connectionLimit`. */
const DEFAULT_LIMIT = 10

/**
 * Returns the most connections of one pool.
 *
 * Assumption 2: TypeORM passes `poolSize` to mysql2 as `connectionLimit`, and sets no default.
 */
export function poolSizeOf(options: {
  readonly poolSize?: number
  readonly extra?: { readonly connectionLimit?: number }
}): number {
  return options.extra?.connectionLimit ?? options.poolSize ?? DEFAULT_LIMIT
}
