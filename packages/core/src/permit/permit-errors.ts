import type { RateLimitError } from '@aurora-iam/rate-limit'
import type { TokenTarget } from '../endpoint/connection-target.ts'
import { AuroraIamError } from '../errors.ts'

/** Returns the error for a call after `close()`. */
export function closedError(cause?: unknown): AuroraIamError {
  const message = 'This AuroraIam, or its rate limiter, is closed. Create a new one.'
  return new AuroraIamError('ERR_AURORA_IAM_CLOSED', message, { cause })
}

/** Returns the error for a wait that its caller, the driver or the pool has cancelled. */
export function abortedError(cause: unknown): AuroraIamError {
  return new AuroraIamError('ERR_AURORA_IAM_ABORTED', 'The wait for a new connection was cancelled.', {
    cause,
  })
}

/** Returns the error for a limiter of `target` that rejected with `error`. */
export function permitError(error: RateLimitError, { hostname, port }: TokenTarget): AuroraIamError {
  if (error.code === 'ERR_RATE_LIMIT_CLOSED') return closedError(error)
  if (error.code === 'ERR_RATE_LIMIT_ABORTED') return abortedError(error)
  // Only another user of the endpoint can make options wrong that were right without it.
  if (error.code === 'ERR_RATE_LIMIT_INVALID_OPTION') {
    return new AuroraIamError(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      `rateLimit: ${error.message} All users of ${hostname}:${port} share one limiter.`,
      { cause: error, option: 'rateLimit' },
    )
  }
  return new AuroraIamError(
    'ERR_AURORA_IAM_RATE_LIMITED',
    `No permit for a new connection to ${hostname}:${port} within the rate limit: ${error.message} ` +
      '`rateLimit` sets the limit.',
    { cause: error, option: 'maxWaitMs', retryAfterMs: error.retryAfterMs },
  )
}
