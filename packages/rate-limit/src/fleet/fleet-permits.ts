import { publish } from '../events.ts'
import type { CompleteOptions } from '../limiter-options.ts'
import type { Permit, PermitLane } from '../permit.ts'
import { type PermitEnding, PermitLedger } from '../permit-ledger.ts'
import type { Demand, PermitCounts, PermitSource } from '../permit-source.ts'
import type { FleetEngine } from '../store.ts'
import { type FleetLease, hasLapsed } from './leases.ts'
import type { DegradedAttempt } from './outage.ts'
import { StoreSync } from './store-sync.ts'

/**
 * The permits of one process of a fleet. As with `LocalPermits`, a permit is occupied from its grant until an interval
 * after the attempt's outcome was known, and there are `limit` of them; but all processes share them, in a store.
 */
export class FleetPermits implements PermitSource {
  readonly #options: CompleteOptions
  readonly #key: string | undefined
  readonly #sync: StoreSync
  readonly #ledger: PermitLedger
  #lastEndedAt = Number.NEGATIVE_INFINITY
  #onAvailable: () => void = () => {}

  /** @param key - the key of a shared limiter. */
  constructor(options: CompleteOptions, store: FleetEngine, key: string | undefined) {
    this.#options = options
    this.#key = key
    this.#ledger = new PermitLedger(options, key)
    this.#sync = new StoreSync(options, store, key, () => this.#onAvailable())
  }

  onAvailable(listener: () => void): void {
    this.#onAvailable = listener
  }

  take(now: number, requestedAt: number, lane: PermitLane): Permit | number {
    this.#ledger.expire(now)
    if (this.#ledger.inFlight >= this.#options.maxInFlight) return this.#ledger.expiresAt
    const lease = this.#sync.leases.ready(now)
    if (typeof lease !== 'number') {
      lease.stage = 'inFlight'
      return this.#ledger.grant(now, requestedAt, lane, {
        isLapsed: () => hasLapsed(lease, this.#options.clock.now()),
        onEnd: (ending, at) => this.#endLease(lease, ending, at),
      })
    }
    const attempt = this.#sync.takeDegraded()
    if (typeof attempt === 'number') return Math.min(lease, attempt)
    const { outage } = this.#sync
    return this.#ledger.grant(now, requestedAt, lane, {
      isLapsed: () => this.#isDegradedLapsed(attempt),
      onEnd: (ending, at) => {
        if (attempt.lease !== undefined) return this.#endLease(attempt.lease, ending, at)
        outage?.end(attempt, ending, at, now)
        if (ending !== 'cancelled') this.#sync.endDegraded(at)
        this.#ended(ending, at)
      },
    })
  }

  demand({ live, background }: Demand): void {
    const now = this.#options.clock.now()
    this.#ledger.expire(now)
    const { leases } = this.#sync
    const room = Math.max(0, this.#options.maxInFlight - this.#ledger.inFlight)
    const wanted = Math.min(live + background, room)
    leases.releaseExcess(wanted)
    const ready = leases.readyCount(now)
    const wantedLive = Math.max(0, Math.min(live, room) - ready)
    this.#sync.want({ live: wantedLive, background: Math.max(0, wanted - ready - wantedLive) })
  }

  estimateWaitMs(now: number, ahead: number): number {
    const { effectiveLimit, processes } = this.counts(now)
    const waiting = this.#sync.fleet?.waiting ?? processes
    return Math.floor((ahead + waiting) / Math.max(1, effectiveLimit) + 1) * this.#options.intervalMs
  }

  lower(limit: number): void {
    const from = this.#sync.limit
    if (limit >= from) return
    this.#sync.limit = limit
    publish('aurora-iam:rate-limit:lowered', () => ({ key: this.#key, from, to: limit }))
  }

  counts(now: number): PermitCounts {
    this.#ledger.expire(now)
    const { limit, fleet, leases, outage } = this.#sync
    const { share } = this.#options
    return {
      ...this.#ledger.counts,
      limit: Math.min(limit, fleet?.limit ?? limit),
      effectiveLimit: outage?.limit ?? Math.min(limit, fleet?.effectiveLimit ?? limit),
      available: leases.readyCount(now) + (outage?.available({ now, wall: Date.now() }) ?? 0),
      inFlight: this.#ledger.inFlight,
      dryRunDelayed: 0,
      dryRunMaxWaitMs: 0,
      processes: fleet?.processes ?? share?.processes ?? 1,
      fleetInUse: fleet?.inUse ?? 0,
      fleetWaiting: fleet?.waiting ?? 0,
      share: fleet?.share ?? 0,
      storeLost: outage !== undefined,
    }
  }

  isIdle(now: number): boolean {
    this.#ledger.expire(now)
    // The store remembers what is younger than that; so must what takes the store's place.
    return this.#ledger.inFlight === 0 && now - this.#lastEndedAt > 2 * this.#options.intervalMs
  }

  flush(): Promise<void> {
    return this.#sync.flush()
  }

  rest(): void {
    this.#sync.rest()
  }

  get degradedBy(): Error | undefined {
    return this.#sync.outage?.error
  }

  #isDegradedLapsed({ lease }: DegradedAttempt): boolean {
    const now = this.#options.clock.now()
    if (lease !== undefined) return hasLapsed(lease, now)
    return !this.#sync.outage?.isOpen({ now, wall: Date.now() })
  }

  #endLease(lease: FleetLease, ending: PermitEnding, at: number): void {
    lease.stage = 'ended'
    if (ending !== 'cancelled') lease.outcome = { at, throttled: ending === 'throttled' }
    this.#ended(ending, at)
    this.#sync.update()
  }

  #ended(ending: PermitEnding, at: number): void {
    this.#lastEndedAt = at
    if (ending === 'throttled') {
      publish('aurora-iam:rate-limit:throttled', () => ({
        key: this.#key,
        effectiveLimit: this.counts(at).effectiveLimit,
      }))
    }
    // Expiry is noticed while the queue looks for a permit, and frees none at once.
    if (ending !== 'expired') this.#onAvailable()
  }
}
