import type { AuroraIam } from '@aurora-iam/core'
import { type AdapterIam, AuroraIamError, adapterIam } from '@aurora-iam/core/adapter'
import type { Pool } from 'mysql2'
import { iamOfHooks } from '../hooks-registry.ts'
import { connectionOptionsOf } from '../mysql2-internals.ts'
import { driverPoolOf, getConnection } from './driver-pool.ts'
import { addLayer, hasLayer } from './pool-layers.ts'

/** A pool of mysql2, in any version, of its callback or its promise API. */
export interface RetryablePool {
  // `never` fits the parameters of every version.
  getConnection(...args: never[]): unknown
  end(...args: never[]): unknown
}

/**
 * Returns a view of `pool` that repeats a login once when the database rejects a token that was cached: its access key
 * was deleted, or a role was changed. The repetition has a new token and its own permit. See `docs/login-retry.md`.
 *
 * ```ts
 * const iam = createAuroraIam()
 * const pool = withLoginRetry(mysql.createPool(withAuroraIam({ host, user, database }, iam)), iam)
 * ```
 *
 * @param pool - mysql2's pool, which stays unchanged
 * @param iam - the {@link AuroraIam} that the pool's options were made with
 * @returns a view to use in place of `pool`; `pool` itself where it is such a view, and with `enabled: false`
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for another object than a pool, a pool without IAM,
 * and a missing `iam`; `ERR_AURORA_IAM_CONFLICTING_OPTIONS` for another `iam` than the pool's
 */
export function withLoginRetry<P extends RetryablePool>(pool: P, iam: AuroraIam): P {
  const driverPool = driverPoolOf(pool)
  // With `enabled: false` the logins are by password, which no repetition changes.
  if (iam !== undefined && !adapterIam(iam).enabled && !iamOf(driverPool)) return pool
  assertIam(driverPool, iam)
  const retrying = retryLogins(driverPool, adapterIam(iam))
  if (retrying === driverPool) return pool
  return ('pool' in pool ? retrying.promise() : retrying) as unknown as P
}

/** Returns a view of `pool` that opens its connections through `iam.retryRejected`. The pool itself stays unchanged. */
export function retryLogins(pool: Pool, iam: AdapterIam): Pool {
  if (hasLayer(pool, 'login-retry')) return pool
  return addLayer(pool, 'login-retry', (callback) => {
    iam
      .retryRejected(() => getConnection(pool))
      .then(
        // Outside of the promise, so that what the callback throws is not taken for a rejection.
        (connection) => process.nextTick(callback, null, connection),
        (error) => process.nextTick(callback, error),
      )
  })
}

function iamOf(pool: Pool): AdapterIam | undefined {
  return iamOfHooks(connectionOptionsOf(pool))
}

function assertIam(pool: Pool, iam: AuroraIam): void {
  const own = iamOf(pool)
  if (!own) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'pool: its options did not go through withAuroraIam. Make it with createPool(withAuroraIam(options, iam)).',
      { option: 'pool' },
    )
  }
  if (iam === undefined) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'iam: missing. Give what createAuroraIam returned to withAuroraIam and to withLoginRetry alike.',
      { option: 'iam' },
    )
  }
  if (adapterIam(iam) === own) return
  throw new AuroraIamError(
    'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
    'iam: another one than that of the pool, whose rejected logins it does not know. Give what createAuroraIam returned ' +
      'to withAuroraIam and to withLoginRetry alike.',
    { option: 'iam' },
  )
}
