import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import { type AdapterIam, AuroraIamError, adapterIam } from '@aurora-iam/core/adapter'
import type { Mysql2Options } from '@aurora-iam/mysql2'
import { type HookOptions, lifetimeOptionOf, retryOptionOf, withHooks } from '@aurora-iam/mysql2/adapter'
import type { Knex } from 'knex'
import { assertConnection } from './config.ts'

// These stand in the second argument. Everything else that can be wrong stands in `connection`.
const OPTIONS_OF_IAM: ReadonlySet<string> = new Set(['region', 'hostname', 'dial', 'ca'])

/**
 * Returns the `connection` object alone, for frameworks that make the Knex instance themselves. It is a plain object
 * and no function, because they write to it, merge it, or pass it to mysql2. Each connection still gets its own token.
 * The pool time-outs are the framework's: give it longer ones, or a shorter `maxWaitMs` here.
 *
 * ```ts
 * export default { connection: { client: 'mysql', connection: auroraIamConnection({ host, user, database }) } }
 * ```
 *
 * @param connection - mysql2's options as Knex has them, without a password
 * @param iam - options, or an {@link AuroraIam} to share. @defaultValue the AWS SDK's defaults
 * @returns a copy
 * @throws {@link AuroraIamError} for everything that is wrong with the options
 */
export function auroraIamConnection(
  connection: Knex.MySql2ConnectionConfig,
  iam?: AuroraIam | AuroraIamOptions,
): Knex.MySql2ConnectionConfig {
  const shared = adapterIam(iam)
  assertNoPoolOptions(iam)
  return connectionWithHooks(connection, shared)
}

/**
 * Throws for an option that only the pool of {@link withAuroraIam} can carry out. The framework sets up another one.
 */
function assertNoPoolOptions(iam: AuroraIam | AuroraIamOptions | undefined): void {
  const option = lifetimeOptionOf(iam) ?? retryOptionOf(iam)
  if (option === undefined) return
  throw new AuroraIamError(
    'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
    `${option}: has no effect on auroraIamConnection, because the framework sets up the pool. Leave it out, or give Knex the ` +
      'whole configuration, from withAuroraIam.',
    { option },
  )
}

/**
 * Returns the `connection` object for a pool with these settings.
 *
 * @throws {@link AuroraIamError} for everything that is wrong with the options
 */
export function connectionWithHooks(
  connection: Knex.MySql2ConnectionConfig,
  iam: AdapterIam,
  settings: HookOptions = {},
): Knex.MySql2ConnectionConfig {
  assertConnection(connection)
  try {
    // Knex's types know less of mysql2's options than mysql2 does, `ssl` above all.
    return withHooks(connection as Mysql2Options, iam, settings) as Knex.MySql2ConnectionConfig
  } catch (error) {
    throw error instanceof AuroraIamError ? inKnexWords(error) : error
  }
}

/** Returns the same error, with the option under its name in a Knex configuration. */
function inKnexWords(error: AuroraIamError): AuroraIamError {
  const { code, message, option, cause } = error
  if (option === undefined || OPTIONS_OF_IAM.has(option.split('.')[0] as string)) return error
  return new AuroraIamError(code, `connection.${message}`, { option: `connection.${option}`, cause })
}
