import { AuroraIamError, describe } from '@aurora-iam/core'
import { assertDriverOptions } from '@aurora-iam/mysql2'
import type { MysqlDataSourceOptions, NodeOptions } from './data-source-types.ts'
import { named } from './named.ts'

// TypeORM puts `extra` over everything else, for all nodes alike.
const OWN_OPTION: ReadonlyArray<readonly [inExtra: string, own: string]> = [
  ['host', 'host'],
  ['port', 'port'],
  ['user', 'username'],
  ['uri', 'url'],
  ['ssl', 'ssl'],
  ['connectTimeout', 'connectTimeout'],
]

/**
 * Refuses what is no DataSource on mysql2.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` or `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
 */
export function assertMysql(options: MysqlDataSourceOptions): void {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options)
  const { type, connectorPackage } = options as { type: unknown; connectorPackage?: unknown }
  if (type === 'aurora-mysql') {
    throw conflict(
      'type',
      "'aurora-mysql' is the Data API, which has no connections to log in. Give 'mysql', or use it without withAuroraIam",
    )
  }
  if (type !== 'mysql' && type !== 'mariadb') throw invalid('type', "'mysql' or 'mariadb'", type)
  if (connectorPackage !== undefined && connectorPackage !== 'mysql2') {
    throw conflict(
      'connectorPackage',
      "Only 'mysql2' can be handed a token. Leave it out, and install mysql2",
    )
  }
}

/**
 * Refuses in `extra` what has an option of its own in TypeORM, and what contradicts IAM.
 *
 * @throws {@link AuroraIamError} as `assertDriverOptions` of mysql2, with the name `extra.…`
 */
export function assertExtra(extra: unknown): asserts extra is { readonly authPlugins?: object } | undefined {
  if (extra === undefined) return
  if (typeof extra !== 'object' || extra === null) throw invalid('extra', 'an object', extra)
  named('extra.', () => assertDriverOptions(extra))
  for (const [option, own] of OWN_OPTION) {
    if ((extra as Record<string, unknown>)[option] === undefined) continue
    throw conflict(
      `extra.${option}`,
      `It would be put over what withAuroraIam sets. Give \`${own}\` beside \`extra\``,
    )
  }
}

/**
 * For `enabled: false`: the options of the plain password path, which must be wholly that.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
 */
export function assertPlainPassword(options: MysqlDataSourceOptions): void {
  const { replication, extra } = options
  if (extra?.password !== undefined) return
  const nodes: ReadonlyArray<readonly [path: string, node: NodeOptions]> = replication
    ? [
        ['replication.master.', replication.master],
        ...replication.slaves.map((slave, index) => [`replication.slaves[${index}].`, slave] as const),
      ]
    : [['', options]]
  for (const [path, { password, url }] of nodes) {
    if (password !== undefined || url !== undefined) continue
    throw new AuroraIamError(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      `${path}password: missing, and IAM is switched off by \`enabled: false\`. Give the password ('' for a user that has none), or switch IAM on.`,
      { option: `${path}password` },
    )
  }
}

function conflict(option: string, remedy: string): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
    `${option}: cannot be combined with IAM. ${remedy}.`,
    { option },
  )
}

function invalid(option: string, expected: string, value: unknown): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_INVALID_OPTION',
    `${option}: expected ${expected}, got ${describe(value)}.`,
    { option },
  )
}
