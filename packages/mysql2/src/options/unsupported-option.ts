import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import { AuroraIamError } from '@aurora-iam/core/adapter'

/**
 * Throws for an option of IAM that options of mysql2 cannot carry: only a pool can repeat a login.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
 */
export function assertNoPoolOptions(iam: AuroraIam | AuroraIamOptions | undefined): void {
  const option = retryOptionOf(iam)
  if (option === undefined) return
  throw new AuroraIamError(
    'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
    'retryRejectedLogins: connection options cannot repeat a login. Leave it out, and wrap the pool of mysql2 with ' +
      '`withLoginRetry(pool, iam)` of @aurora-iam/mysql2.',
    { option },
  )
}

/** Returns the option that switches on login retry; undefined for an {@link AuroraIam}, which other pools may share. */
export function retryOptionOf(
  iam: AuroraIam | AuroraIamOptions | undefined,
): 'retryRejectedLogins' | undefined {
  if (iam === undefined || 'stats' in iam || !Object.hasOwn(iam, 'retryRejectedLogins')) return undefined
  return iam.retryRejectedLogins ? 'retryRejectedLogins' : undefined
}

const OF_LIFETIME = ['maxLifetimeMs', 'watchEndpointMs', 'retireDemoted'] as const

/** An option of `iam` that only the connections of a managed pool have. */
export type LifetimeOption = (typeof OF_LIFETIME)[number]

/** Returns such an option that `iam` switches on; undefined for an {@link AuroraIam}, which other pools may share. */
export function lifetimeOptionOf(iam: AuroraIam | AuroraIamOptions | undefined): LifetimeOption | undefined {
  if (iam === undefined || 'stats' in iam) return undefined
  return OF_LIFETIME.find(
    (name) => Object.hasOwn(iam, name) && iam[name] !== undefined && iam[name] !== false,
  )
}
