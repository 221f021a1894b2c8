import {
  type Permit,
  type PermitLane,
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
import { ownProperties } from '../util/own-properties.ts'

/** The options of the same names, described at `AuroraIamOptions`. */
export interface RateLimitSettings {
  readonly rateLimit?: RateLimit | RateLimiter | false | undefined
  readonly maxWaitMs?: number | undefined
}

/** Options of the wait of one login for its permit. */
export interface PermitWait {
  readonly signal?: AbortSignal | undefined
  readonly lane?: PermitLane | undefined
  /** An object that stands for the pool: pools take turns. */
  readonly group?: object | undefined
}

/** The limiters of one AuroraIam, one for each database endpoint. */
export class EndpointLimiters {
  readonly #settings: RateLimiterOptions | RateLimiter | false
  /** The longest wait for a permit, in milliseconds. */
  readonly maxWaitMs: number
  readonly #limiters = new Map<string, RateLimiter>()
  /** Attempts that have an open socket and wait for another permit, by limiter, oldest first. */
  readonly #urgent = new WeakMap<RateLimiter, Array<(permit: Permit) => void>>()
  readonly #closing: AbortSignal
  #isClosed = false

  /**
   * @param closing - aborted before {@link close} is called
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` or `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
   */
  constructor({ rateLimit, maxWaitMs }: RateLimitSettings, closing: AbortSignal) {
    this.#closing = closing
    this.#settings = readRateLimit(rateLimit)
    const ofLimit =
      this.#settings === false || isRateLimiter(this.#settings) ? undefined : this.#settings.maxWaitMs
    if (maxWaitMs !== undefined && ofLimit !== undefined) {
      throw new AuroraIamError(
        'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
        'maxWaitMs: given beside `rateLimit.maxWaitMs`. Give one of them.',
        { option: 'maxWaitMs' },
      )
    }
    this.maxWaitMs = maxWaitMs ?? ofLimit ?? MAX_WAIT_MS
  }

  /**
   * Returns the limiter of an endpoint; undefined where the rate is not limited.
   *
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CLOSED`, `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
   */
  limiterOf(target: TokenTarget): RateLimiter | undefined {
    if (this.#isClosed) throw closed()
    try {
      return this.#limiterFor(target)
    } catch (error) {
      throw error instanceof RateLimitError ? this.#explain(error, target) : error
    }
  }

  /**
   * Waits for a permit of `limiter`, which is that of `target`.
   *
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_RATE_LIMITED`, `ERR_AURORA_IAM_CLOSED`, `ERR_AURORA_IAM_ABORTED`
   */
  async acquire(limiter: RateLimiter, target: TokenTarget, wait: PermitWait = {}): Promise<Permit> {
    const deadline = performance.now() + this.maxWaitMs
    const signal = this.#signalFor(limiter, wait.signal)
    const { lane, group } = wait
    for (;;) {
      try {
        const timeoutMs = Math.max(0, deadline - performance.now())
        const permit = await limiter.acquire({
          timeoutMs,
          ...(signal && { signal }),
          ...(lane && { lane }),
          ...(group && { group }),
        })
        const urgent = this.#urgent.get(limiter)?.shift()
        if (!urgent) return permit
        urgent(permit)
        if (wait.signal?.aborted) throw abortedError(wait.signal.reason)
      } catch (error) {
        throw error instanceof RateLimitError ? this.#explain(error, target) : error
      }
    }
  }

  /**
   * Waits for the permit of an attempt whose socket is open. It gets the next permit of this AuroraIam, before attempts
   * that came earlier: the server has limited time for a login that it has greeted.
   */
  async acquireNext(limiter: RateLimiter, target: TokenTarget, wait: PermitWait): Promise<Permit> {
    const served = new AbortController()
    const urgent = this.#urgent.get(limiter) ?? []
    this.#urgent.set(limiter, urgent)
    let give: (permit: Permit) => void = () => {}
    const given = new Promise<Permit>((resolve) => {
      give = (permit) => {
        served.abort()
        resolve(permit)
      }
    })
    urgent.push(give)
    try {
      return await Promise.race([
        given,
        this.#waitInQueue(limiter, target, { ...wait, signal: served.signal }, given),
      ])
    } finally {
      const index = urgent.indexOf(give)
      if (index >= 0) urgent.splice(index, 1)
    }
  }

  /** Waits in the queue as well, so that a permit comes when no other attempt waits. */
  async #waitInQueue(
    limiter: RateLimiter,
    target: TokenTarget,
    wait: PermitWait & { readonly signal: AbortSignal },
    given: Promise<Permit>,
  ): Promise<Permit> {
    try {
      // The permit goes to the oldest attempt that waits, so one that comes back here has no taker any more.
      ;(await this.acquire(limiter, target, wait)).cancel()
      return await given
    } catch (error) {
      if (wait.signal.aborted) return given
      throw error
    }
  }

  /** Returns a signal that ends the wait. A limiter of the caller is not closed here. */
  #signalFor(limiter: RateLimiter, signal: AbortSignal | undefined): AbortSignal | undefined {
    if (limiter !== this.#settings) return signal
    return signal ? AbortSignal.any([signal, this.#closing]) : this.#closing
  }

  /** Returns what each limiter has done, by `hostname:port`. */
  stats(): Record<string, RateLimiterStats> {
    return Object.fromEntries([...this.#limiters].map(([endpoint, limiter]) => [endpoint, limiter.stats()]))
  }

  /** Ends every wait. A limiter of the caller stays open. */
  close(): void {
    this.#isClosed = true
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
}

/**
 * Returns the name under which a limit is shared. AWS does not say whether its limit is one of the instance, the cluster or the account; the
 * editions that said most spoke of the cluster, so its writer and reader endpoints share. The names of custom endpoints and
 * instances do not tell their cluster.
 *
 * @see https://github.com/awsdocs/amazon-aurora-user-guide `doc_source/UsingWithRDS.IAMDBAuth.md`, 2020 to 2023
 */
function clusterOf(hostname: string): string {
  const isReader = parseRdsHostname(hostname)?.kind === 'cluster-ro'
  return isReader ? hostname.replace('.cluster-ro-', '.cluster-') : hostname
}

/** Returns the error for a call after `close()`. */
export function closed(cause?: unknown): AuroraIamError {
  const message = 'This AuroraIam, or its rate limiter, is closed. Create a new one.'
  return new AuroraIamError('ERR_AURORA_IAM_CLOSED', message, { cause })
}

/** Returns the error for a wait that its caller, the driver or the pool has cancelled. */
export function abortedError(cause: unknown): AuroraIamError {
  return new AuroraIamError('ERR_AURORA_IAM_ABORTED', 'The wait for a new connection was cancelled.', {
    cause,
  })
}

function readRateLimit(rateLimit: RateLimitSettings['rateLimit']): RateLimiterOptions | RateLimiter | false {
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

function isRateLimiter(value: unknown): value is RateLimiter {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<RateLimiter>).acquire === 'function'
  )
}
