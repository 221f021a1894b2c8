import { AuroraIamError, type AuroraIamErrorCode } from '@aurora-iam/core'
import { describe } from '@aurora-iam/core/adapter'
import type { Knex } from 'knex'

/**
 * Refuses a Knex configuration that IAM cannot be added to.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` or `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
 */
export function assertConfig(
  config: Knex.Config,
): asserts config is Knex.Config & { connection: Knex.MySql2ConnectionConfig } {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw refusal(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'config',
      `expected an object { client: 'mysql2', connection: { … } }, got ${kindOf(config)}`,
    )
  }
  if (config.client !== 'mysql2') {
    throw refusal(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'client',
      `expected 'mysql2', got ${describe(config.client)}. No other driver can hand over a token over verified TLS. ` +
        'For a client class of your own on mysql2, give it `auroraIamConnection(…)` as `connection`',
    )
  }
  if ((config as { connectionPool?: unknown }).connectionPool !== undefined) {
    throw refusal(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      'connectionPool',
      'it brings connections of its own, and Knex would not look at `connection`. Leave it out, or make that pool ' +
        'with `withAuroraIam` of @aurora-iam/mysql2 and give it to Knex directly',
    )
  }
  assertConnection(config.connection)
}

/**
 * Refuses a `connection` that is not an object of mysql2's options.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` or `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
 */
export function assertConnection(connection: unknown): asserts connection is Knex.MySql2ConnectionConfig {
  if (typeof connection === 'function') {
    throw refusal(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'connection',
      'expected an object { host, user, database }, got a function. It is not needed: each new connection gets a token ' +
        'of its own (and what went through withAuroraIam once needs it no second time)',
    )
  }
  if (typeof connection !== 'object' || connection === null || Array.isArray(connection)) {
    throw refusal(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'connection',
      `expected an object { host, user, database }, got ${kindOf(connection)}. A URL goes into \`connection.uri\``,
    )
  }
  if ((connection as { expirationChecker?: unknown }).expirationChecker !== undefined) {
    throw refusal(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      'connection.expirationChecker',
      'cannot be combined with IAM. Knex would close healthy connections by it, although only a login needs a live ' +
        'token, and each has one. Leave it out',
    )
  }
}

function refusal(code: AuroraIamErrorCode, option: string, problem: string): AuroraIamError {
  return new AuroraIamError(code, `${option}: ${problem}.`, { option })
}

/** As `describe`, but a string is never shown: in its place it is a URL, which may hold a password. */
function kindOf(value: unknown): string {
  return typeof value === 'string' ? 'a string' : describe(value)
}
