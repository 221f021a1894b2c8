import { publish } from '../events.ts'
import type { CompleteOptions } from '../limiter-options.ts'
import type { Permit, PermitLane } from '../permit.ts'
import { type PermitEnding, PermitLedger, type PermitTerms } from '../permit-ledger.ts'
import type { PermitCounts, PermitSource } from '../permit-source.ts'
import { LinkedList } from '../queue/linked-list.ts'
import { AdaptiveLimit } from './adaptive-limit.ts'
import { DryRun } from './dry-run.ts'

/** Keeps our interval longer than the server's though its clock runs a little slow or counts whole milliseconds. */
const safetyMarginMs = 2

/**
 * The permits of one process. A permit is occupied from its grant until `intervalMs` after the attempt's outcome was
 * known, and one is granted only while fewer than `limit` are occupied.
 *
 * That is enough for the server never to count more than `limit` attempts in any window of `intervalMs`, however long
 * each attempt lasted. Take such a window and, of the attempts that arrived in it, the one granted last, at g. The
 * others arrived later than g - `intervalMs`, so their outcomes were known later than that, so each of them still
 * occupied a permit at g: there were fewer than `limit` of them.
 */
export class LocalPermits implements PermitSource {
  readonly #processes: number
  readonly #opensAt: number
  readonly #intervalMs: number
  readonly #maxInFlight: number
  readonly #limit: AdaptiveLimit
  readonly #dryRun: DryRun | undefined
  readonly #key: string | undefined
  readonly #ledger: PermitLedger
  /** When each permit whose attempt has ended is free again, soonest first. */
  readonly #coolingDown = new LinkedList<number>()
  readonly #terms: PermitTerms = {
    isLapsed: () => false,
    onEnd: (ending, at, grantedAt) => this.#end(ending, at, grantedAt),
  }
  #cooldownMs: number
  #onAvailable: () => void = () => {}

  /** @param key - the key of a shared limiter, for events. */
  constructor(options: CompleteOptions, key: string | undefined) {
    this.#processes = options.share?.processes ?? 1
    this.#opensAt = firstGrantAt(options)
    const { limit, intervalMs } = shareOf(options, this.#processes)
    this.#intervalMs = options.intervalMs
    this.#cooldownMs = intervalMs + safetyMarginMs
    this.#maxInFlight = options.maxInFlight
    this.#limit = new AdaptiveLimit({ ...options, limit, intervalMs })
    this.#dryRun = options.dryRun ? new DryRun(options.intervalMs) : undefined
    this.#key = key
    this.#ledger = new PermitLedger(options, key)
  }

  onAvailable(listener: () => void): void {
    this.#onAvailable = listener
  }

  take(now: number, requestedAt: number, lane: PermitLane): Permit | number {
    this.#update(now)
    if (this.#dryRun !== undefined) this.#dryRun.record(now, this.#limit.limit)
    else if (now < this.#opensAt) return this.#opensAt
    else if (this.#occupied >= this.#room(now, lane) || this.#ledger.inFlight >= this.#maxInFlight) {
      return this.#nextChangeAt(now)
    }
    return this.#ledger.grant(now, requestedAt, lane, this.#terms)
  }

  estimateWaitMs(now: number, ahead: number): number {
    this.#update(now)
    const limit = this.#limit.at(now)
    const rounds = Math.floor(ahead / limit)
    if (this.#occupied < limit) return rounds * this.#cooldownMs
    return (this.#coolingDown.first ?? now + this.#cooldownMs) - now + rounds * this.#cooldownMs
  }

  lower(limit: number): void {
    const from = this.#limit.limit
    const share = shareOf({ limit, intervalMs: this.#intervalMs }, this.#processes)
    this.#cooldownMs = Math.max(this.#cooldownMs, share.intervalMs + safetyMarginMs)
    if (share.limit >= from) return
    this.#limit.lower(share.limit)
    publish('aurora-iam:rate-limit:lowered', () => ({ key: this.#key, from, to: share.limit }))
  }

  /** Ignores the demand: the queue asks for each permit. */
  demand(): void {}

  isIdle(now: number): boolean {
    this.#update(now)
    return this.#occupied === 0
  }

  /** Resolves at once: there is no store to report to. */
  async flush(): Promise<void> {}

  /** Returns at once: it is at rest while no request waits. */
  rest(): void {}

  readonly degradedBy = undefined

  counts(now: number): PermitCounts {
    this.#update(now)
    const effectiveLimit = this.#limit.at(now)
    return {
      ...this.#ledger.counts,
      limit: this.#limit.limit,
      effectiveLimit,
      available: now < this.#opensAt ? 0 : Math.max(0, effectiveLimit - this.#occupied),
      processes: this.#processes,
      fleetInUse: 0,
      fleetWaiting: 0,
      share: 0,
      storeLost: false,
      inFlight: this.#ledger.inFlight,
      dryRunDelayed: this.#dryRun?.delayed ?? 0,
      dryRunMaxWaitMs: this.#dryRun?.maxWaitMs ?? 0,
    }
  }

  get #occupied(): number {
    return this.#ledger.inFlight + this.#coolingDown.length
  }

  /**
   * Returns how many permits may be occupied. Background requests leave the last one to a live request that comes next.
   */
  #room(now: number, lane: PermitLane): number {
    const limit = this.#limit.at(now)
    return lane === 'live' ? limit : Math.max(1, limit - 1)
  }

  /** Ends what was not released in time and frees the permits that have cooled down. */
  #update(now: number): void {
    this.#ledger.expire(now)
    while ((this.#coolingDown.first ?? Number.POSITIVE_INFINITY) <= now) this.#coolingDown.shift()
  }

  #nextChangeAt(now: number): number {
    return Math.min(
      this.#coolingDown.first ?? Number.POSITIVE_INFINITY,
      this.#ledger.expiresAt + this.#cooldownMs,
      this.#limit.growsAt(now),
    )
  }

  #end(ending: PermitEnding, at: number, grantedAt: number): void {
    if (ending !== 'cancelled') this.#coolingDown.push(at + this.#cooldownMs)
    if (ending === 'throttled') {
      this.#limit.throttled(grantedAt, at)
      publish('aurora-iam:rate-limit:throttled', () => ({
        key: this.#key,
        effectiveLimit: this.#limit.at(at),
      }))
    }
    // Expiry is noticed while the queue looks for a permit, and frees none at once.
    if (ending !== 'expired') this.#onAvailable()
  }
}

/**
 * Returns what one of several processes may do without the others so that together they stay within the limit. With
 * more processes than permits, each has one permit in an interval that is longer in proportion: right on average,
 * though any number of them may come at once.
 */
export function shareOf(
  { limit, intervalMs }: { limit: number; intervalMs: number },
  processes: number,
): { limit: number; intervalMs: number } {
  if (limit >= processes) return { limit: Math.floor(limit / processes), intervalMs }
  return { limit: 1, intervalMs: (intervalMs * processes) / limit }
}

/**
 * Returns a random instant of the first interval: processes of one share that start together must not burst together.
 */
function firstGrantAt({ share, intervalMs, clock }: CompleteOptions): number {
  return share === undefined ? Number.NEGATIVE_INFINITY : clock.now() + Math.random() * intervalMs
}
