import type { RateLimiter, RateLimiterStats } from '@aurora-iam/rate-limit'
import { RateLimitError, sharedRateLimiter } from '@aurora-iam/rate-limit/limiter'
import type { TokenTarget } from '../endpoint/connection-target.ts'
import { parseRdsHostname } from '../endpoint/rds-hostname.ts'
import { endpointKey } from '../endpoint/target-key.ts'
import { closedError, permitError } from './permit-errors.ts'
import { isRateLimiter, type RateLimitChoice } from './rate-limit-settings.ts'

/** The limiters of one AuroraIam, one for each database endpoint. */
export class EndpointLimiters {
  readonly #choice: RateLimitChoice
  readonly #limiters = new Map<string, RateLimiter>()
  #isClosed = false

  constructor(choice: RateLimitChoice) {
    this.#choice = choice
  }

  /**
   * Returns the limiter of an endpoint; undefined where the rate is not limited.
   *
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CLOSED`, `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
   */
  limiterOf(target: TokenTarget): RateLimiter | undefined {
    if (this.#isClosed) throw closedError()
    try {
      return this.#limiterFor(target)
    } catch (error) {
      throw this.explain(error, target)
    }
  }

  /** Returns true for a limiter of the caller, which is not closed with this AuroraIam. */
  isOfCaller(limiter: RateLimiter): boolean {
    return limiter === this.#choice
  }

  /** Returns the limiter of `target` if it is in use. */
  knownLimiterOf(target: TokenTarget): RateLimiter | undefined {
    return this.#isClosed ? undefined : this.#limiters.get(endpointKey(target))
  }

  /** True where the rate is not limited. */
  get isUnlimited(): boolean {
    return this.#choice === false
  }

  /** Returns the error for the user of `target`: that of a limiter is explained, any other is returned unchanged. */
  explain(error: unknown, target: TokenTarget): unknown {
    if (!(error instanceof RateLimitError)) return error
    return this.#isClosed ? closedError(error) : permitError(error, target)
  }

  /** Returns what each limiter has done, by `hostname:port`. */
  stats(): Record<string, RateLimiterStats> {
    return Object.fromEntries([...this.#limiters].map(([endpoint, limiter]) => [endpoint, limiter.stats()]))
  }

  /** Returns what the limiter of an endpoint has done, by `hostname:port`; undefined for one that is not in use. */
  statsOf(endpoint: string): RateLimiterStats | undefined {
    return this.#limiters.get(endpoint)?.stats()
  }

  /** Ends every wait. A limiter of the caller stays open. */
  close(): void {
    this.#isClosed = true
    if (isRateLimiter(this.#choice)) return
    for (const limiter of this.#limiters.values()) limiter.close()
  }

  #limiterFor(target: TokenTarget): RateLimiter | undefined {
    if (this.#choice === false) return undefined
    const endpoint = endpointKey(target)
    let limiter = this.#limiters.get(endpoint)
    if (!limiter) {
      limiter = isRateLimiter(this.#choice)
        ? this.#choice
        : sharedRateLimiter(endpointKey({ ...target, hostname: clusterOf(target.hostname) }), this.#choice)
      this.#limiters.set(endpoint, limiter)
    }
    return limiter
  }
}

/**
 * Returns the name under which a limit is shared. AWS does not say whether its limit is one of the instance, the
 * cluster or the account. The editions of its guide that said most spoke of the cluster, so the writer and the reader
 * endpoint share one. The names of custom endpoints and instances do not have their cluster.
 *
 * @see https://github.com/awsdocs/amazon-aurora-user-guide `doc_source/UsingWithRDS.IAMDBAuth.md`, 2020 to 2023
 */
function clusterOf(hostname: string): string {
  const isReader = parseRdsHostname(hostname)?.kind === 'cluster-ro'
  return isReader ? hostname.replace('.cluster-ro-', '.cluster-') : hostname
}
