import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import { type AdapterIam, adapterIam, ownProperties } from '@aurora-iam/core/adapter'
import {
  assertDriverOptions,
  connectionHooks,
  DEFAULT_CONNECT_TIMEOUT_MS,
  lifetimeOptionOf,
} from '@aurora-iam/mysql2/adapter'
import { assertMysql, assertOnMysql2, assertPlainPassword } from './data-source-options.ts'
import type {
  MysqlDataSourceOptions,
  NestMysqlOptions,
  NodeOptions,
  Replication,
} from './data-source-types.ts'
import { managedDriver } from './managed-driver.ts'
import { conflict } from './refusals.ts'
import { resolveReplication } from './replication.ts'
import { type Resolved, resolveNode } from './resolve-node.ts'
import { sharedSsl } from './shared-ssl.ts'
import { expandUrl } from './url.ts'

// A variable of a wide type, such as DataSourceOptions or Nest's TypeOrmModuleOptions, may hold MySQL's options. For a
// literal of another database, or with an option that does not exist, this is `never`.
type WideEnough<T> = 'type' extends keyof T ? (MysqlDataSourceOptions extends T ? unknown : never) : never

// The type that the surrounding call expects (`new DataSource`, Nest's `forRoot`) decides which options there are.
type MysqlOf<R> = string extends keyof R
  ? MysqlDataSourceOptions
  : Extract<R, { readonly type?: MysqlDataSourceOptions['type'] | undefined }>

/**
 * Returns TypeORM's own `options` with a live IAM token, verified TLS and a permit of the rate limit for each new
 * connection, to the writer and to each reader: for `new DataSource`, for Nest, and for the command line. It opens
 * nothing, and the object that is passed in stays unchanged.
 *
 * ```ts
 * const dataSource = new DataSource(withAuroraIam({ type: 'mysql', host, username, database, entities }))
 * ```
 *
 * @param options - TypeORM's options of type `'mysql'` or `'mariadb'`, without a password
 * @param iam - options, or an {@link AuroraIam} to share between DataSources. @defaultValue the AWS SDK's defaults
 * @returns a copy of `options`. Its `connectTimeout` includes the wait for a permit. The caller's own value counts from
 * the opening of the socket to the end of the login. With `retryRejectedLogins` its `driver` is mysql2, or the `driver`
 * that was given, with pools that retry
 * @throws {@link AuroraIamError} for everything that is wrong with the options
 */
export function withAuroraIam<T extends { readonly type?: unknown }>(
  options: T & WideEnough<T>,
  iam?: AuroraIam | AuroraIamOptions,
): T
export function withAuroraIam<R extends { readonly type?: unknown } = MysqlDataSourceOptions>(
  options: NoInfer<MysqlOf<R>>,
  iam?: AuroraIam | AuroraIamOptions,
): R
export function withAuroraIam(
  options: NestMysqlOptions & { readonly type: MysqlDataSourceOptions['type'] },
  iam?: AuroraIam | AuroraIamOptions,
): NestMysqlOptions
export function withAuroraIam(
  given: MysqlDataSourceOptions,
  iam?: AuroraIam | AuroraIamOptions,
): MysqlDataSourceOptions {
  const shared = adapterIam(iam)
  const options = ownProperties(given)
  assertMysql(options)
  if (!shared.enabled) {
    assertPlainPassword(options)
    return { ...options }
  }
  assertOnMysql2(options)
  if (options.replication) assertNoLifetime(iam)
  const { ssl } = options
  const extra = ownProperties(options.extra)
  const { options: resolved, targets } = options.replication
    ? resolveReplicated(shared, options, options.replication)
    : resolveNode(shared, options)
  const connectTimeout = options.connectTimeout ?? DEFAULT_CONNECT_TIMEOUT_MS
  const hooks = connectionHooks(shared, { target: targets, connectTimeout })
  return {
    ...resolved,
    // Assumption 4: without it TypeORM 0.3 loads `mysql`, which can be handed no token. TypeORM 1 does not declare it.
    ...{ connectorPackage: 'mysql2' },
    ssl: sharedSsl(shared, targets, ssl),
    connectTimeout: shared.driverTimeoutMs(connectTimeout),
    driver: managedDriver(options.driver, shared),
    extra: {
      ...extra,
      stream: hooks.stream,
      authPlugins: { ...hooks.authPlugins, ...extra?.authPlugins },
    },
  }
}

/** Throws for an option of the lifetime, which the connections of a cluster do not have. */
function assertNoLifetime(iam: AuroraIam | AuroraIamOptions | undefined): void {
  const option = lifetimeOptionOf(iam)
  if (option === undefined) return
  throw conflict(
    option,
    'has no effect with `replication`: mysql2 gives no way to the pools of a cluster. Leave it out, or use a DataSource for ' +
      'the writer and another for the readers',
  )
}

function resolveReplicated<T extends MysqlDataSourceOptions>(
  iam: AdapterIam,
  options: T,
  given: Replication,
): Resolved<T> {
  // TypeORM ignores these options with `replication`. A password among them is refused, so that none seems to be used.
  assertDriverOptions(withoutUrl(options))
  const { options: replication, targets } = resolveReplication(iam, given)
  return { options: { ...options, replication }, targets }
}

/**
 * Returns `options` with the parts of a `url` in place of it, where there is one: TypeORM uses none with `replication`.
 */
function withoutUrl({ url, ...rest }: NodeOptions): NodeOptions {
  if (!url) return rest
  try {
    return expandUrl({ url, ...rest })
  } catch {
    throw conflict('url', 'TypeORM does not use it with `replication`, and it cannot be read. Leave it out')
  }
}
