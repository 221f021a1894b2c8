import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import { type AdapterIam, adapterIam } from '@aurora-iam/core/adapter'
import { assertDriverOptions, connectionHooks, DEFAULT_CONNECT_TIMEOUT_MS } from '@aurora-iam/mysql2/adapter'
import { assertMysql, assertOnMysql2, assertPlainPassword } from './data-source-options.ts'
import type { MysqlDataSourceOptions, NodeOptions, Replication } from './data-source-types.ts'
import { resolveReplication } from './replication.ts'
import { type Resolved, resolveNode } from './resolve-node.ts'
import { sharedSsl } from './shared-ssl.ts'
import { expandUrl } from './url.ts'

/**
 * Returns TypeORM's own `options` with a live IAM token, verified TLS and a place under the connection rate on every
 * new connection, to the writer and to each reader. For `new DataSource`, and everything that takes the same options.
 * The object that is passed in is left as it is.
 *
 * ```ts
 * const dataSource = new DataSource(withAuroraIam({ type: 'mysql', host, username, database, entities }))
 * ```
 *
 * @param options - TypeORM's options of type `'mysql'` or `'mariadb'`, without a password
 * @param iam - options, or an {@link AuroraIam} to share between DataSources. @defaultValue the AWS SDK's defaults
 * @returns a copy of `options`; `connectTimeout` in it includes the wait for a place, the caller's own value holds
 * from the opening of the socket to the end of the login
 * @throws {@link AuroraIamError} for everything about the options that can be known now
 */
export function withAuroraIam<T extends MysqlDataSourceOptions>(
  options: T,
  iam?: AuroraIam | AuroraIamOptions,
): T {
  const shared = adapterIam(iam)
  assertMysql(options)
  if (!shared.enabled) {
    assertPlainPassword(options)
    return { ...options }
  }
  assertOnMysql2(options)
  const { extra, ssl } = options
  const connectTimeout = options.connectTimeout ?? DEFAULT_CONNECT_TIMEOUT_MS
  const { options: resolved, targets } = options.replication
    ? resolveReplicated(shared, options, options.replication)
    : resolveNode(shared, options)
  const hooks = connectionHooks(shared, { target: targets, connectTimeout })
  return {
    ...resolved,
    // Without it TypeORM 0.3 prefers `mysql`, which can be handed no token.
    connectorPackage: 'mysql2',
    ssl: sharedSsl(shared, targets, ssl),
    connectTimeout: shared.driverTimeoutMs(connectTimeout),
    extra: {
      ...extra,
      stream: hooks.stream,
      authPlugins: { ...hooks.authPlugins, ...extra?.authPlugins },
    },
  }
}

function resolveReplicated<T extends MysqlDataSourceOptions>(
  iam: AdapterIam,
  options: T,
  given: Replication,
): Resolved<T> {
  // TypeORM looks for none of it here, but nobody who gave a password is to think that it is in use.
  assertDriverOptions(expandUrl<NodeOptions>(options))
  const { options: replication, targets } = resolveReplication(iam, given)
  return { options: { ...options, replication }, targets }
}
