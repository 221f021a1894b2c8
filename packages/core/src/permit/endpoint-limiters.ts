import {
  type Permit,
  type RateLimit,
  RateLimitError,
  type RateLimiter,
  type RateLimiterOptions,
  type RateLimiterStats,
  resolveRateLimit,
  sharedRateLimiter,
} from '@aurora-iam/rate-limit'
import type { TokenTarget } from '../endpoint/connection-target.ts'
import { parseRdsHostname } from '../endpoint/rds-hostname.ts'
import { endpointKey } from '../endpoint/target-key.ts'
import { AuroraIamError } from '../errors.ts'
import { MAX_WAIT_MS } from '../timings.ts'
import { onAbort } from '../util/abortable.ts'
import { currentLane } from './lane.ts'

/** The options of the same names, described at `AuroraIamOptions`. */
export interface RateLimitSettings {
  readonly rateLimit?: RateLimit | RateLimiter | false | undefined
  readonly maxWaitMs?: number | undefined
}

/** The limiters that one AuroraIam waits at, one for each database endpoint. */
export class RateLimits {
  readonly #settings: RateLimiterOptions | RateLimiter | false
  /** The longest wait for a place, in milliseconds. */
  readonly maxWaitMs: number
  readonly #limiters = new Map<string, RateLimiter>()
  readonly #waits = new Set<AbortController>()
  #isClosed = false

  /** @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` or `ERR_AURORA_IAM_CONFLICTING_OPTIONS` */
  constructor({ rateLimit, maxWaitMs }: RateLimitSettings) {
    this.#settings = readRateLimit(rateLimit)
    const ofLimit =
      this.#settings === false || isRateLimiter(this.#settings) ? undefined : this.#settings.maxWaitMs
    if (maxWaitMs !== undefined && ofLimit !== undefined) {
      throw new AuroraIamError(
        'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
        'maxWaitMs: given beside `rateLimit.maxWaitMs`. Say once how long a connection may wait.',
        { option: 'maxWaitMs' },
      )
    }
    this.maxWaitMs = maxWaitMs ?? ofLimit ?? MAX_WAIT_MS
  }

  /**
   * Waits for a place; undefined where the rate is not limited.
   *
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_RATE_LIMITED`, `ERR_AURORA_IAM_CLOSED`
   */
  async acquire(target: TokenTarget, signal: AbortSignal | undefined): Promise<Permit | undefined> {
    if (this.#isClosed) throw closed()
    const wait = new AbortController()
    const stopListening = signal && onAbort(signal, (reason) => wait.abort(reason))
    this.#waits.add(wait)
    try {
      return await this.#limiterFor(target)?.acquire({
        signal: wait.signal,
        timeoutMs: this.maxWaitMs,
        lane: currentLane(),
      })
    } catch (error) {
      throw error instanceof RateLimitError ? this.#explain(error, target) : error
    } finally {
      this.#waits.delete(wait)
      stopListening?.()
    }
  }

  /** What each limiter has done, by `hostname:port`. */
  stats(): Record<string, RateLimiterStats> {
    return Object.fromEntries([...this.#limiters].map(([endpoint, limiter]) => [endpoint, limiter.stats()]))
  }

  /** Ends the wait of everyone who waits here. A limiter of the caller's own is the caller's to close. */
  close(): void {
    this.#isClosed = true
    for (const wait of this.#waits) wait.abort()
    if (isRateLimiter(this.#settings)) return
    for (const limiter of this.#limiters.values()) limiter.close()
  }

  #limiterFor(target: TokenTarget): RateLimiter | undefined {
    if (this.#settings === false) return undefined
    const endpoint = endpointKey(target)
    let limiter = this.#limiters.get(endpoint)
    if (!limiter) {
      limiter = isRateLimiter(this.#settings)
        ? this.#settings
        : sharedRateLimiter(endpointKey({ ...target, hostname: clusterOf(target.hostname) }), this.#settings)
      this.#limiters.set(endpoint, limiter)
    }
    return limiter
  }

  #explain(error: RateLimitError, { hostname, port }: TokenTarget): AuroraIamError {
    if (error.code === 'ERR_RATE_LIMIT_CLOSED' || this.#isClosed) return closed(error)
    if (error.code === 'ERR_RATE_LIMIT_ABORTED') return abortedError(error)
    // Only another user of the endpoint can make options wrong that were right by themselves.
    if (error.code === 'ERR_RATE_LIMIT_INVALID_OPTION') {
      return new AuroraIamError(
        'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
        `rateLimit: ${error.message} All that go to ${hostname}:${port} share one limiter.`,
        { cause: error, option: 'rateLimit' },
      )
    }
    return new AuroraIamError(
      'ERR_AURORA_IAM_RATE_LIMITED',
      `No place for a new connection to ${hostname}:${port} within the rate limit: ${error.message} ` +
        '`rateLimit` sets the limit.',
      {
        cause: error,
        option: 'maxWaitMs',
        retryAfterMs: error.retryAfterMs,
      },
    )
  }
}

/**
 * The name under which a limit is shared. AWS does not say whether its limit is one of the instance, the cluster or the account; the
 * editions that said most spoke of the cluster, so its writer and reader endpoints share. The names of custom endpoints and
 * instances do not tell their cluster.
 *
 * @see https://github.com/awsdocs/amazon-aurora-user-guide `doc_source/UsingWithRDS.IAMDBAuth.md`, 2020 to 2023
 */
function clusterOf(hostname: string): string {
  const isReader = parseRdsHostname(hostname)?.kind === 'cluster-ro'
  return isReader ? hostname.replace('.cluster-ro-', '.cluster-') : hostname
}

/** The error for whatever is asked after `close()`. */
export function closed(cause?: unknown): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_CLOSED',
    'This AuroraIam, or its rate limiter, has been closed.',
    {
      cause,
    },
  )
}

/** The error for whoever has called off the wait for a new connection. */
export function abortedError(cause: unknown): AuroraIamError {
  return new AuroraIamError('ERR_AURORA_IAM_CLOSED', 'The wait for a new connection was called off.', {
    cause,
  })
}

function readRateLimit(rateLimit: RateLimitSettings['rateLimit']): RateLimiterOptions | RateLimiter | false {
  if (rateLimit === false || isRateLimiter(rateLimit)) return rateLimit
  try {
    return resolveRateLimit(rateLimit === undefined ? 'conservative' : rateLimit, 'rateLimit')
  } catch (cause) {
    if (!(cause instanceof RateLimitError)) throw cause
    throw new AuroraIamError('ERR_AURORA_IAM_INVALID_OPTION', cause.message, {
      cause,
      option: cause.option ?? 'rateLimit',
    })
  }
}

function isRateLimiter(value: unknown): value is RateLimiter {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<RateLimiter>).acquire === 'function'
  )
}
