import { type CallerLimit, LONGEST_TIMER_MS } from '@aurora-iam/core/adapter'
import type { Knex } from 'knex'
import { POOL_DEFAULTS } from './knex-internals.ts'

// Between the login and the end of "create" Knex asks for the version and runs the caller's `afterCreate`.
const AFTER_LOGIN_MS = 5_000

// So that a connection that takes too long fails with its own error, and Knex does not report a full pool.
const MARGIN_MS = 1_000

/**
 * Returns time-outs of Knex's pool such that the wait for a permit and the login fit into `createTimeoutMillis`, and
 * that into the time to acquire. A shorter wait keeps Knex's defaults. Time-outs of the caller are never changed.
 *
 * @param connectTimeout - from the request for a connection to the end of its login, the wait included; 0 for no bound
 * @param longestWaitMs - the wait in it
 */
export function alignTimeouts(
  { pool, acquireConnectionTimeout }: Knex.Config,
  connectTimeout: number | undefined,
  longestWaitMs: number,
): Pick<Knex.Config, 'pool' | 'acquireConnectionTimeout'> {
  const { createTimeoutMillis, acquireConnectionTimeout: acquireDefaultMs } = POOL_DEFAULTS
  const connectMs = connectTimeout ? connectTimeout : longestWaitMs + createTimeoutMillis
  const createMs = pool?.createTimeoutMillis ?? atLeast(createTimeoutMillis, connectMs + AFTER_LOGIN_MS)
  // Knex takes the shorter of the two, so one that is given must not meet another.
  const acquireMs = acquireConnectionTimeout ?? pool?.acquireTimeoutMillis
  return {
    pool: { ...pool, createTimeoutMillis: createMs },
    ...(acquireMs === undefined && {
      acquireConnectionTimeout: atLeast(acquireDefaultMs, createMs + MARGIN_MS),
    }),
  }
}

/** Returns the shortest time-out that the caller has set for the wait for a new connection. */
export function callerLimitOf({ pool, acquireConnectionTimeout }: Knex.Config): CallerLimit | undefined {
  const { createTimeoutMillis, acquireTimeoutMillis } = pool ?? {}
  const given: ReadonlyArray<readonly [string, number | undefined]> = [
    ['acquireConnectionTimeout', acquireConnectionTimeout],
    ['pool.acquireTimeoutMillis', acquireTimeoutMillis],
    ['pool.createTimeoutMillis', createTimeoutMillis],
  ]
  const limits = given.flatMap(([option, timeoutMs]) =>
    timeoutMs === undefined ? [] : [{ option, timeoutMs }],
  )
  return limits.sort((one, other) => one.timeoutMs - other.timeoutMs)[0]
}

function atLeast(defaultMs: number, neededMs: number): number {
  return Math.min(Math.max(defaultMs, neededMs), LONGEST_TIMER_MS)
}
