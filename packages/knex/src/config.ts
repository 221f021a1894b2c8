import type { AuroraIamErrorCode } from '@aurora-iam/core'
import { AuroraIamError, assertNoIamOptions, assertOptionsObject, describe } from '@aurora-iam/core/adapter'
import type { Knex } from 'knex'
import { isMysql2 } from './knex-internals.ts'

/**
 * Throws for a Knex configuration that IAM cannot be added to.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` or `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
 */
export function assertConfig(
  config: Knex.Config,
): asserts config is Knex.Config & { connection: Knex.MySql2ConnectionConfig } {
  assertOptionsObject(config, { option: 'config', shape: "{ client: 'mysql2', connection: { … } }" })
  assertNoIamOptions(config)
  if (!isMysql2(config.client)) {
    throw refusal(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'client',
      `expected 'mysql2', or a class that extends Knex's mysql2 client, got ${kindOf(config.client)}. No other driver ` +
        'can send a token over verified TLS',
    )
  }
  if ((config as { connectionPool?: unknown }).connectionPool !== undefined) {
    throw refusal(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      'connectionPool',
      'it brings separate connections, and Knex would not look at `connection`. Leave it out, or make that pool ' +
        'with `withAuroraIam` of @aurora-iam/mysql2 and give it to Knex directly',
    )
  }
  assertConnection(config.connection)
}

/**
 * Throws for a `connection` that is not an object of mysql2's options.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` or `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
 */
export function assertConnection(connection: unknown): asserts connection is Knex.MySql2ConnectionConfig {
  if (typeof connection === 'function') {
    throw refusal(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'connection',
      'expected an object { host, user, database }, got a function. A function is not needed: each new connection gets ' +
        'its own token. A configuration that went through withAuroraIam before is passed to knex unchanged',
    )
  }
  assertOptionsObject(connection, {
    option: 'connection',
    shape: '{ host, user, database }',
    url: 'connection.uri',
  })
  assertNoIamOptions(connection, 'connection.')
  if ((connection as { expirationChecker?: unknown }).expirationChecker !== undefined) {
    throw refusal(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      'connection.expirationChecker',
      'cannot be combined with IAM. Knex would close healthy connections by it, although only a login needs a live ' +
        'token, and each login has one. Leave it out',
    )
  }
}

function refusal(code: AuroraIamErrorCode, option: string, problem: string): AuroraIamError {
  return new AuroraIamError(code, `${option}: ${problem}.`, { option })
}

/** Returns what `describe` returns, but shows no string: it may be a URL with a password. */
function kindOf(value: unknown): string {
  return typeof value === 'string' ? 'a string' : describe(value)
}
