import type { CompleteOptions } from '../limiter-options.ts'
import { AdaptiveLimit } from '../local/adaptive-limit.ts'
import type { PermitEnding } from '../permit-ledger.ts'
import { LinkedList } from '../queue/linked-list.ts'
import type { FleetLease, Instant } from './leases.ts'

/** The margin of one process, see `LocalPermits`. */
const safetyMarginMs = 2

/** The store counts silence of this length as an outage; see `SILENCE` in `fleet-step.lua`. */
const silenceMs = 2500

/** The longest time between two requests to a store that fails; see `StoreBackoff`. */
const longestRetryMs = 5500

/** An attempt that was made without the store; with a lease as soon as the store knows of it. */
export interface DegradedAttempt {
  lease?: FleetLease
}

/**
 * Degraded mode of a process while the store is lost. With `'share'` it uses the share that the store promised it, once
 * every earlier permit has ended and the store has been silent for so long that it will notice. It does so only while
 * its last failed request is recent, because other processes notice the return of the store at another moment.
 *
 * A failed request shows only that the store was lost when the request was sent. A process that was frozen finds the
 * failure much later.
 */
export class FleetOutage {
  readonly since: number
  readonly error: Error
  readonly limit: number
  readonly #limits: AdaptiveLimit
  readonly #cooldownMs: number
  readonly #gapMs: number
  readonly #trustMs: number
  readonly #proofMs: number
  readonly #openingMs: number
  /** When the first failed request was sent, of those that followed each other without a gap. */
  #failingSince: number
  /** Attempts in flight that the store does not know of yet. */
  readonly attempts = new Set<DegradedAttempt>()
  readonly #coolingDown = new LinkedList<number>()
  /** When the last failed request was sent. */
  #confirmed: Instant
  /** True if the store replies again: attempts in flight are still to be reported to it. */
  isReturning = false

  /**
   * @param sent - when the first request that failed was sent.
   * @param limit - the permits per interval that this process may use; 0 for none.
   * @param waitMs - how long after `sent` permits of before may still be in use.
   * @param patienceMs - after how long a request counts as failed.
   * @param roundTripMs - how long after `sent` the store may still have replied to another process.
   */
  constructor(
    options: CompleteOptions,
    error: Error,
    details: { sent: Instant; limit: number; waitMs: number; patienceMs: number; roundTripMs: number },
  ) {
    const { sent, limit, waitMs, patienceMs, roundTripMs } = details
    const isImmediate = options.onStoreLost === 'fail-open'
    this.error = error
    this.since = sent.now
    this.limit = limit
    this.#proofMs = isImmediate ? 0 : silenceMs + roundTripMs
    this.#openingMs = isImmediate ? 0 : Math.max(waitMs, silenceMs + patienceMs)
    this.#limits = new AdaptiveLimit({ ...options, limit: Math.max(1, limit) })
    this.#cooldownMs = options.intervalMs + safetyMarginMs
    this.#gapMs = Math.max(longestRetryMs, patienceMs + 500)
    this.#trustMs = longestRetryMs + 2 * patienceMs
    this.#failingSince = sent.now
    this.#confirmed = sent
  }

  /** Notes that a request of `sent` has failed. */
  confirm(sent: Instant): void {
    if (sent.now < this.#confirmed.now) return
    // The store may have been back while this process sent nothing.
    if (!this.#isWithin(this.#gapMs, sent)) this.#failingSince = sent.now
    this.#confirmed = sent
  }

  /** When to send the request whose failure shows that the silence is long enough; undefined when none is needed. */
  get proofDueAt(): number | undefined {
    return this.limit === 0 || this.#isProven ? undefined : this.#failingSince + this.#proofMs
  }

  /** Returns whether attempts may be made without the store. */
  isOpen(instant: Instant): boolean {
    return instant.now >= this.#opensAt && this.#isLostAt(instant)
  }

  /** Returns how many permits are free now. */
  available(instant: Instant): number {
    if (this.limit === 0 || this.isReturning || !this.isOpen(instant)) return 0
    this.#update(instant.now)
    return Math.max(0, this.#limits.at(instant.now) - this.#occupied)
  }

  /** Returns an attempt, or the instant at which to ask again. */
  take(instant: Instant): DegradedAttempt | number {
    const { now } = instant
    if (this.available(instant) === 0) {
      if (this.limit === 0 || this.isReturning || !this.#isLostAt(instant)) {
        return Number.POSITIVE_INFINITY
      }
      if (now < this.#opensAt) return this.#opensAt
      return Math.min(this.#coolingDown.first ?? Number.POSITIVE_INFINITY, this.#limits.growsAt(now))
    }
    const attempt: DegradedAttempt = {}
    this.attempts.add(attempt)
    return attempt
  }

  /** Ends an attempt that has no lease. */
  end(attempt: DegradedAttempt, ending: PermitEnding, at: number, grantedAt: number): void {
    this.attempts.delete(attempt)
    if (ending !== 'cancelled') this.#coolingDown.push(at + this.#cooldownMs)
    if (ending === 'throttled') this.#limits.throttled(grantedAt, at)
  }

  /** When the first attempt may be made. */
  get #opensAt(): number {
    return this.#failingSince + this.#openingMs
  }

  get #isProven(): boolean {
    return this.#confirmed.now - this.#failingSince >= this.#proofMs
  }

  /** Returns whether the store is lost as far as failed requests show: for long enough, and until lately. */
  #isLostAt(instant: Instant): boolean {
    return this.#isProven && this.#isWithin(this.#trustMs, instant)
  }

  /** Returns whether the last failed request was sent within `ms`, on both clocks. */
  #isWithin(ms: number, { now, wall }: Instant): boolean {
    return now - this.#confirmed.now <= ms && wall - this.#confirmed.wall <= ms
  }

  get #occupied(): number {
    return this.attempts.size + this.#coolingDown.length
  }

  #update(now: number): void {
    while ((this.#coolingDown.first ?? Number.POSITIVE_INFINITY) <= now) this.#coolingDown.shift()
  }
}
