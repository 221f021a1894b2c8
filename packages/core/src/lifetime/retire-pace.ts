import type { RateLimiterStats } from '@aurora-iam/rate-limit'

/** The part of the limit that may go to voluntary replacements. */
const SHARE = 0.1

/** Interval of the next look while requests wait for a permit, in milliseconds. */
const LOOK_AGAIN_MS = 1000

/**
 * Pace of voluntary replacements. At most a tenth of the rate limit goes to them, and none while a connection waits
 * for a permit. In a fleet each process takes its part of that tenth. One pace serves all pools of a limiter.
 */
export class RetirePace {
  readonly #limiter: () => RateLimiterStats | undefined
  #nextAt = 0

  /** @param limiter - the state of the rate limit; undefined where the rate is not limited */
  constructor(limiter: () => RateLimiterStats | undefined) {
    this.#limiter = limiter
  }

  /** Returns true, and counts it, if a connection may be retired at `now` (monotonic milliseconds). */
  tryRetire(now: number): boolean {
    const limiter = this.#limiter()
    if (!limiter) return true
    if (now < this.#nextAt || limiter.waiting > 0) return false
    const perInterval = (SHARE * limiter.limit) / Math.max(1, limiter.processes)
    this.#nextAt = now + limiter.intervalMs / perInterval
    return true
  }

  /** Returns the milliseconds from `now` after which {@link tryRetire} is worth another call. */
  delay(now: number): number {
    const limiter = this.#limiter()
    if (!limiter) return 0
    return Math.max(this.#nextAt - now, limiter.waiting > 0 ? LOOK_AGAIN_MS : 0)
  }
}
