import { assertNoIamOptions, assertOptionsObject, ownProperties } from '@aurora-iam/core/adapter'
import { assertDriverOptions, iamOfHooks } from '@aurora-iam/mysql2/adapter'
import type { MysqlDataSourceOptions, NodeOptions } from './data-source-types.ts'
import { conflict, invalid, withOptionPrefix } from './refusals.ts'
import { OWN_OPTION } from './typeorm-internals.ts'

/**
 * Refuses the options of another database.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` or `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
 */
export function assertMysql(options: MysqlDataSourceOptions): void {
  assertOptionsObject(options, { option: 'options', shape: "{ type: 'mysql', … }", url: 'url' })
  if (iamOfHooks(options.extra ?? undefined)) {
    throw conflict(
      'extra.stream',
      'these options went through withAuroraIam before. Pass them to TypeORM unchanged',
    )
  }
  assertNoIamOptions(options)
  const { type } = options as { type: unknown }
  if (type === 'mysql' || type === 'mariadb') return
  if (type !== 'aurora-mysql') throw invalid('type', "'mysql' or 'mariadb'", type)
  throw conflict(
    'type',
    "'aurora-mysql' is the Data API, which has no connections to log in. Give 'mysql', or use it without withAuroraIam",
  )
}

/**
 * Refuses another driver than mysql2. In `extra` it refuses options that TypeORM has beside `extra`, and those that
 * contradict IAM.
 *
 * @throws {@link AuroraIamError} as `assertDriverOptions` of mysql2, with the name `extra.…`
 */
export function assertOnMysql2(options: MysqlDataSourceOptions): void {
  const { extra, connectorPackage } = options as { extra?: unknown; connectorPackage?: unknown }
  if (connectorPackage !== undefined && connectorPackage !== 'mysql2') {
    throw conflict(
      'connectorPackage',
      "only 'mysql2' can be handed a token. Leave it out, and install mysql2",
    )
  }
  if (extra === undefined || extra === null) return
  if (typeof extra !== 'object') throw invalid('extra', 'an object', extra)
  withOptionPrefix('extra.', () => assertDriverOptions(extra))
  for (const [option, own] of OWN_OPTION) {
    if ((ownProperties(extra) as Record<string, unknown>)[option] === undefined) continue
    throw conflict(
      `extra.${option}`,
      `TypeORM would put it over what withAuroraIam sets. Give \`${own}\` beside \`extra\``,
    )
  }
}

/**
 * Checks the options of the plain password path, for `enabled: false`: each node needs a password.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
 */
export function assertPlainPassword(options: MysqlDataSourceOptions): void {
  const { replication, extra } = options
  if (ownProperties(extra)?.password !== undefined) return
  const nodes: ReadonlyArray<readonly [path: string, node: NodeOptions | undefined]> = replication
    ? [
        ['replication.master.', replication.master],
        ...(replication.slaves ?? []).map(
          (slave, index) => [`replication.slaves[${index}].`, slave] as const,
        ),
      ]
    : [['', options]]
  for (const [path, node] of nodes) {
    if (node?.password !== undefined || node?.url !== undefined) continue
    throw conflict(
      `${path}password`,
      "missing, and IAM is switched off by `enabled: false`. Give the password ('' for a user that has none), or switch IAM on",
    )
  }
}
