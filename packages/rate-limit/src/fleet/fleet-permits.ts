import { publish } from '../events.ts'
import type { CompleteOptions } from '../options.ts'
import type { Permit, PermitLane } from '../permit.ts'
import { type PermitEnding, PermitLedger } from '../permit-ledger.ts'
import type { Demand, PermitCounts, PermitSource } from '../permit-source.ts'
import type { RateLimitStore } from '../store.ts'
import { hasLapsed } from './leases.ts'
import { StoreSync } from './store-sync.ts'

/**
 * The permits of one process of a fleet. As with `LocalPermits`, a place is occupied from its grant until an interval after the
 * attempt's outcome was known, and there are `limit` places; but all processes have them in common, in a store.
 */
export class FleetPermits implements PermitSource {
  readonly #options: CompleteOptions
  readonly #key: string | undefined
  readonly #exchange: StoreSync
  readonly #ledger: PermitLedger
  #lastEndedAt = Number.NEGATIVE_INFINITY
  #wake: () => void = () => {}

  /** @param key - the key of a shared limiter. */
  constructor(options: CompleteOptions, store: RateLimitStore, key: string | undefined) {
    this.#options = options
    this.#key = key
    this.#ledger = new PermitLedger(options, key)
    this.#exchange = new StoreSync(options, store, key, () => this.#wake())
  }

  onAvailable(listener: () => void): void {
    this.#wake = listener
  }

  take(now: number, requestedAt: number, lane: PermitLane): Permit | number {
    this.#ledger.expire(now)
    if (this.#ledger.inFlight >= this.#options.maxInFlight) return this.#ledger.expiresAt
    const { leases } = this.#exchange
    const lease = leases.ready(now)
    if (typeof lease !== 'number') {
      lease.stage = 'inFlight'
      return this.#ledger.grant(now, requestedAt, lane, {
        isLapsed: () => hasLapsed(lease, this.#options.clock.now()),
        onEnd: (ending, at) => {
          lease.stage = 'ended'
          if (ending !== 'cancelled') lease.outcome = { at, throttled: ending === 'throttled' }
          this.#ended(ending, at)
        },
      })
    }
    const alone = this.#exchange.takeAlone(now, requestedAt)
    if (typeof alone === 'number') return Math.min(lease, alone)
    return this.#ledger.grant(now, requestedAt, lane, {
      isLapsed: () => alone.isLapsed,
      onEnd: (ending, at) => {
        if (ending === 'cancelled') alone.cancel()
        else {
          alone.release(ending === 'expired' ? 'ok' : ending)
          this.#exchange.ended(at)
        }
        this.#ended(ending, at)
      },
    })
  }

  demand({ live, background }: Demand): void {
    const { leases } = this.#exchange
    const now = this.#options.clock.now()
    this.#ledger.expire(now)
    const room = Math.max(0, Math.min(live + background, this.#options.maxInFlight - this.#ledger.inFlight))
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
    this.#ledger.expire(now)
    const { limit, fleet, leases, outage } = this.#exchange
    const alone = outage?.alone?.counts(now)
    return {
      ...this.#ledger.counts,
      limit: Math.min(limit, fleet?.limit ?? limit),
      effectiveLimit: alone?.effectiveLimit ?? Math.min(limit, fleet?.effectiveLimit ?? limit),
      available: leases.readyCount(now) + (alone?.available ?? 0),
      inFlight: this.#ledger.inFlight,
      dryRunDelayed: 0,
      dryRunMaxWaitMs: 0,
      processes: fleet?.processes ?? this.#options.share?.processes ?? 1,
      storeLost: outage !== undefined,
    }
  }

  isIdle(now: number): boolean {
    this.#ledger.expire(now)
    // The store remembers what is younger than that; so must what takes the store's place.
    return this.#ledger.inFlight === 0 && now - this.#lastEndedAt > 2 * this.#options.intervalMs
  }

  get degradedBy(): Error | undefined {
    return this.#exchange.outage?.error
  }

  async flush(): Promise<void> {}

  rest(): void {}

  #ended(ending: PermitEnding, at: number): void {
    this.#lastEndedAt = at
    if (ending === 'throttled') {
      publish('aurora-iam:rate-limit:throttled', () => ({
        key: this.#key,
        effectiveLimit: this.counts(at).effectiveLimit,
      }))
    }
    // Expiry is noticed while the queue looks for a permit, and frees none at once.
    if (ending !== 'expired') this.#wake()
  }
}
