import { publish } from '../events.ts'
import type { CompleteOptions } from '../options.ts'
import type { Permit, PermitOutcome } from '../permit.ts'
import type { PermitCounts, PermitSource } from '../permit-source.ts'
import { LinkedList, type ListNode } from '../queue/linked-list.ts'
import type { RateLimitStore } from '../store.ts'
import { hasLapsed } from './leases.ts'
import { StoreSync } from './store-sync.ts'

type Ending = PermitOutcome | 'cancelled' | 'expired'

/** An attempt that was let go on, by the fleet or, while the store is lost, by this process alone. */
interface Attempt {
  readonly expiresAt: number
  readonly isLapsed: () => boolean
  readonly end: (ending: Ending) => void
  /** Where it stands among the attempts in flight; undefined once it has ended. */
  place: ListNode<Attempt> | undefined
}

/**
 * The permits of one process of a fleet. As with `LocalPermits`, a place is occupied from its grant until an interval after the
 * attempt's outcome was known, and there are `limit` places; but all processes have them in common, in a store.
 */
export class FleetPermits implements PermitSource {
  readonly #options: CompleteOptions
  readonly #key: string | undefined
  readonly #exchange: StoreSync
  /** In the order of their grants, so also of the instants when they expire. */
  readonly #inFlight = new LinkedList<Attempt>()
  readonly #counts = { granted: 0, cancelled: 0, succeeded: 0, failed: 0, throttled: 0, expired: 0 }
  #lastEndedAt = Number.NEGATIVE_INFINITY
  #wake: () => void = () => {}

  /** @param key - the key of a shared limiter. */
  constructor(options: CompleteOptions, store: RateLimitStore, key: string | undefined) {
    this.#options = options
    this.#key = key
    this.#exchange = new StoreSync(options, store, key, () => this.#wake())
  }

  bind(wake: () => void): void {
    this.#wake = wake
  }

  take(now: number, requestedAt: number): Permit | number {
    this.#expire(now)
    const oldest = this.#inFlight.first
    if (oldest !== undefined && this.#inFlight.length >= this.#options.maxInFlight) return oldest.expiresAt
    const { leases } = this.#exchange
    const lease = leases.ready(now)
    if (typeof lease !== 'number') {
      lease.stage = 'inFlight'
      const isLapsed = () => hasLapsed(lease, this.#options.clock.now())
      return this.#grant(now, requestedAt, isLapsed, (ending) => {
        lease.stage = 'ended'
        if (ending !== 'cancelled') {
          lease.outcome = { at: this.#options.clock.now(), throttled: ending === 'throttled' }
        }
      })
    }
    const alone = this.#exchange.takeAlone(now, requestedAt)
    if (typeof alone === 'number') return Math.min(lease, alone)
    return this.#grant(
      now,
      requestedAt,
      () => alone.isLapsed,
      (ending) => {
        if (ending === 'cancelled') return alone.cancel()
        alone.release(ending === 'expired' ? 'ok' : ending)
        this.#exchange.ended(this.#options.clock.now())
      },
    )
  }

  demand(waiting: number): void {
    const { leases } = this.#exchange
    const now = this.#options.clock.now()
    this.#expire(now)
    const room = Math.max(0, Math.min(waiting, this.#options.maxInFlight - this.#inFlight.length))
    leases.keep(room)
    this.#exchange.want(room - leases.readyCount(now))
  }

  estimateWaitMs(now: number, ahead: number): number {
    const { effectiveLimit, processes } = this.counts(now)
    return Math.floor((ahead * processes) / effectiveLimit + 1) * this.#options.intervalMs
  }

  lower(limit: number): void {
    const from = this.#exchange.limit
    if (limit >= from) return
    this.#exchange.limit = limit
    publish('aurora-iam:rate-limit:lowered', () => ({ key: this.#key, from, to: limit }))
  }

  counts(now: number): PermitCounts {
    this.#expire(now)
    const { limit, fleet, leases, outage } = this.#exchange
    const alone = outage?.alone?.counts(now)
    return {
      ...this.#counts,
      limit: Math.min(limit, fleet?.limit ?? limit),
      effectiveLimit: alone?.effectiveLimit ?? Math.min(limit, fleet?.effectiveLimit ?? limit),
      available: leases.readyCount(now) + (alone?.available ?? 0),
      inFlight: this.#inFlight.length,
      dryRunDelayed: 0,
      dryRunMaxWaitMs: 0,
      processes: fleet?.processes ?? this.#options.share?.processes ?? 1,
      storeLost: outage !== undefined,
    }
  }

  isIdle(now: number): boolean {
    this.#expire(now)
    // The store remembers what is younger than that; so must what takes the store's place.
    return this.#inFlight.length === 0 && now - this.#lastEndedAt > 2 * this.#options.intervalMs
  }

  get trouble(): Error | undefined {
    return this.#exchange.outage?.error
  }

  #grant(now: number, requestedAt: number, isLapsed: () => boolean, end: Attempt['end']): Permit {
    const attempt: Attempt = { expiresAt: now + this.#options.permitTtlMs, isLapsed, end, place: undefined }
    attempt.place = this.#inFlight.push(attempt)
    this.#counts.granted += 1
    const { clock } = this.#options
    return {
      waitedMs: now - requestedAt,
      get isLapsed() {
        return attempt.isLapsed() || clock.now() >= attempt.expiresAt
      },
      release: (outcome = 'ok') => this.#end(attempt, outcome),
      cancel: () => this.#end(attempt, 'cancelled'),
    }
  }

  #end(attempt: Attempt, ending: Ending): void {
    if (attempt.place === undefined) return
    this.#inFlight.remove(attempt.place)
    attempt.place = undefined
    attempt.end(ending)
    this.#lastEndedAt = this.#options.clock.now()
    this.#counts[ending === 'ok' ? 'succeeded' : ending] += 1
    if (ending === 'throttled') {
      publish('aurora-iam:rate-limit:throttled', () => ({
        key: this.#key,
        effectiveLimit: this.counts(this.#lastEndedAt).effectiveLimit,
      }))
    }
    // What has expired is found out while the queue looks for a permit, and frees none.
    if (ending !== 'expired') this.#wake()
  }

  #expire(now: number): void {
    for (let oldest = this.#inFlight.first; oldest !== undefined; oldest = this.#inFlight.first) {
      if (oldest.expiresAt > now) break
      this.#end(oldest, 'expired')
    }
  }
}
