import type { RateLimit, RateLimiter, RateLimiterOptions } from '@aurora-iam/rate-limit'
import { RateLimitError, resolveRateLimit } from '@aurora-iam/rate-limit/limiter'
import { AuroraIamError } from '../errors.ts'
import { MAX_WAIT_MS } from '../timings.ts'
import { ownProperties } from '../util/own-properties.ts'

/** The options of the same names, described at `AuroraIamOptions`. */
export interface RateLimitSettings {
  readonly rateLimit?: RateLimit | RateLimiter | false | undefined
  readonly maxWaitMs?: number | undefined
}

/** Rate limit of one AuroraIam: options of limiters, a limiter of the caller, or none. */
export type RateLimitChoice = RateLimiterOptions | RateLimiter | false

/**
 * Returns the rate limit and the longest wait for a permit, in milliseconds.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` or `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
 */
export function readRateLimitSettings({ rateLimit, maxWaitMs }: RateLimitSettings): {
  readonly choice: RateLimitChoice
  readonly maxWaitMs: number
} {
  const choice = readRateLimit(rateLimit)
  const ofLimit = choice === false || isRateLimiter(choice) ? undefined : choice.maxWaitMs
  if (maxWaitMs !== undefined && ofLimit !== undefined) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      'maxWaitMs: given beside `rateLimit.maxWaitMs`. Give one of them.',
      { option: 'maxWaitMs' },
    )
  }
  return { choice, maxWaitMs: maxWaitMs ?? ofLimit ?? MAX_WAIT_MS }
}

function readRateLimit(rateLimit: RateLimitSettings['rateLimit']): RateLimitChoice {
  if (rateLimit === false || isRateLimiter(rateLimit)) return rateLimit
  try {
    return ownProperties(resolveRateLimit(rateLimit === undefined ? 'conservative' : rateLimit, 'rateLimit'))
  } catch (cause) {
    if (!(cause instanceof RateLimitError)) throw cause
    throw new AuroraIamError('ERR_AURORA_IAM_INVALID_OPTION', cause.message, {
      cause,
      option: cause.option ?? 'rateLimit',
    })
  }
}

/** Returns true for a limiter of the caller. */
export function isRateLimiter(value: unknown): value is RateLimiter {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<RateLimiter>).acquire === 'function'
  )
}
