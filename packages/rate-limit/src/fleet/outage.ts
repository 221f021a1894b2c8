import { AdaptiveLimit } from '../local/adaptive-limit.ts'
import type { CompleteOptions } from '../options.ts'
import { LinkedList } from '../queue/linked-list.ts'
import type { FleetLease, Instant } from './leases.ts'

/** The margin of one process, see `LocalPermits`. */
const safetyMarginMs = 2

/** The store counts silence of this length as an outage; see `SILENCE` in `fleet-step.lua`. */
const silenceMs = 2500

/** An attempt that was made without the store; with a lease as soon as the store knows of it. */
export interface DegradedAttempt {
  lease: FleetLease | undefined
}

/**
 * Degraded mode of a process while the store is lost. With `'share'` it uses the share that the store promised it, once
 * every earlier permit has ended and no process can get another. It does so only while its last failed request is
 * recent, because other processes notice the return of the store at another moment.
 */
export class FleetOutage {
  readonly since: number
  readonly error: Error
  /** When the first attempt may be made; `Infinity` when none may. */
  readonly opensAt: number
  readonly limit: number
  readonly #limits: AdaptiveLimit
  readonly #cooldownMs: number
  readonly #trustMs: number
  /** Attempts in flight that the store does not know of yet. */
  readonly attempts = new Set<DegradedAttempt>()
  readonly #coolingDown = new LinkedList<number>()
  #confirmed: Instant
  /** True if the store replies again: attempts in flight are still to be reported to it. */
  isReturning = false

  /**
   * @param since - when the first request that failed was sent.
   * @param limit - the permits per interval that this process may use; 0 for none.
   * @param waitMs - how long after `since` permits of before may still be in use.
   * @param patienceMs - after how long a request counts as failed.
   */
  constructor(
    options: CompleteOptions,
    error: Error,
    details: { since: number; now: Instant; limit: number; waitMs: number; patienceMs: number },
  ) {
    const { since, limit, waitMs, patienceMs } = details
    this.error = error
    this.since = since
    this.limit = limit
    const opening = options.onStoreLost === 'fail-open' ? 0 : Math.max(waitMs, silenceMs + patienceMs)
    this.opensAt = limit === 0 ? Number.POSITIVE_INFINITY : since + opening
    this.#limits = new AdaptiveLimit({ ...options, limit: Math.max(1, limit) })
    this.#cooldownMs = options.intervalMs + safetyMarginMs
    this.#trustMs = 5500 + patienceMs
    this.#confirmed = details.now
  }

  /** Notes that a request failed just now. */
  confirm(at: Instant): void {
    this.#confirmed = at
  }

  /** Returns whether the last failed request is recent enough, on both clocks. */
  isFresh({ now, wall }: Instant): boolean {
    return now - this.#confirmed.now <= this.#trustMs && wall - this.#confirmed.wall <= this.#trustMs
  }

  /** Returns how many permits are free now. */
  available(instant: Instant): number {
    if (this.isReturning || instant.now < this.opensAt || !this.isFresh(instant)) return 0
    this.#update(instant.now)
    return Math.max(0, this.#limits.at(instant.now) - this.#occupied)
  }

  /** Returns an attempt, or the instant at which to ask again. */
  take(instant: Instant): DegradedAttempt | number {
    const { now } = instant
    if (this.available(instant) === 0) {
      if (this.isReturning || !this.isFresh(instant)) return Number.POSITIVE_INFINITY
      if (now < this.opensAt) return this.opensAt
      return Math.min(this.#coolingDown.first ?? Number.POSITIVE_INFINITY, this.#limits.growsAt(now))
    }
    const attempt: DegradedAttempt = { lease: undefined }
    this.attempts.add(attempt)
    return attempt
  }

  /** Ends an attempt that has no lease. */
  end(
    attempt: DegradedAttempt,
    at: number,
    ending: 'cancelled' | 'throttled' | 'other',
    grantedAt: number,
  ): void {
    this.attempts.delete(attempt)
    if (ending !== 'cancelled') this.#coolingDown.push(at + this.#cooldownMs)
    if (ending === 'throttled') this.#limits.throttled(grantedAt, at)
  }

  get #occupied(): number {
    return this.attempts.size + this.#coolingDown.length
  }

  #update(now: number): void {
    for (let freeAt = this.#coolingDown.first; freeAt !== undefined && freeAt <= now; ) {
      this.#coolingDown.shift()
      freeAt = this.#coolingDown.first
    }
  }
}
