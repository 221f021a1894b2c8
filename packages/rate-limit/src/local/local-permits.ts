import { publish } from '../events.ts'
import type { CompleteOptions } from '../options.ts'
import type { Permit, PermitOutcome } from '../permit.ts'
import type { PermitCounts, PermitSource } from '../permit-source.ts'
import { LinkedList, type ListNode } from '../queue/linked-list.ts'
import { shareOf } from '../share.ts'
import { AdaptiveLimit } from './adaptive-limit.ts'
import { WouldBeWaits } from './dry-run.ts'

/** Keeps our interval longer than the server's though its clock runs a little slow or counts whole milliseconds. */
const safetyMarginMs = 2

interface Attempt {
  readonly grantedAt: number
  /** Where it stands among the attempts in flight; undefined once it has ended. */
  place: ListNode<Attempt> | undefined
}

/**
 * The permits of one process. An attempt occupies a place from its grant until `intervalMs` after its outcome was known,
 * and a permit is granted only while fewer than `limit` places are occupied.
 *
 * That is enough for the server never to see more than `limit` attempts in any window of `intervalMs`, however long each
 * was under way. Take such a window and, of the attempts that arrived in it, the one granted last, at g. The others arrived
 * later than g - `intervalMs`, so their outcomes were known later than that, so each of them still occupied a place at g: there
 * were fewer than `limit` of them.
 */
export class LocalPermits implements PermitSource {
  readonly #clock: CompleteOptions['clock']
  readonly #processes: number
  readonly #opensAt: number
  readonly #intervalMs: number
  readonly #permitTtlMs: number
  readonly #maxInFlight: number
  readonly #limit: AdaptiveLimit
  readonly #dryRun: WouldBeWaits | undefined
  readonly #key: string | undefined
  /** In the order of their grants, so also of the instants when they expire. */
  readonly #inFlight = new LinkedList<Attempt>()
  /** When each place whose attempt has ended is free again, soonest first. */
  readonly #resting = new LinkedList<number>()
  readonly #counts = { granted: 0, cancelled: 0, succeeded: 0, failed: 0, throttled: 0, expired: 0 }
  #wake: () => void = () => {}

  #restMs: number

  /**
   * @param key - the key of a shared limiter, for events.
   * @param opensAt - when the first permit may be granted. Processes of one share that start together should not all
   * burst together.
   */
  constructor(options: CompleteOptions, key: string | undefined, opensAt = startOf(options)) {
    this.#processes = options.share?.processes ?? 1
    this.#opensAt = opensAt
    const { limit, intervalMs } = shareOf(options, this.#processes)
    this.#clock = options.clock
    this.#intervalMs = options.intervalMs
    this.#restMs = intervalMs + safetyMarginMs
    this.#permitTtlMs = options.permitTtlMs
    this.#maxInFlight = options.maxInFlight
    this.#limit = new AdaptiveLimit({ ...options, limit, intervalMs })
    this.#dryRun = options.dryRun ? new WouldBeWaits(options.intervalMs) : undefined
    this.#key = key
  }

  bind(wake: () => void): void {
    this.#wake = wake
  }

  take(now: number, requestedAt: number): Permit | number {
    this.#update(now)
    if (this.#dryRun !== undefined) this.#dryRun.record(now, this.#limit.limit)
    else if (now < this.#opensAt) return this.#opensAt
    else if (this.#occupied >= this.#limit.at(now) || this.#inFlight.length >= this.#maxInFlight) {
      return this.#nextChangeAt(now)
    }

    const attempt: Attempt = { grantedAt: now, place: undefined }
    const clock = this.#clock
    const expiresAt = now + this.#permitTtlMs
    attempt.place = this.#inFlight.push(attempt)
    this.#counts.granted += 1
    return {
      waitedMs: now - requestedAt,
      get isLapsed() {
        return clock.now() >= expiresAt
      },
      release: (outcome = 'ok') => this.#settle(attempt, outcome),
      cancel: () => this.#cancel(attempt),
    }
  }

  estimateWaitMs(now: number, ahead: number): number {
    this.#update(now)
    const limit = this.#limit.at(now)
    const rounds = Math.floor(ahead / limit)
    if (this.#occupied < limit) return rounds * this.#restMs
    return (this.#resting.first ?? now + this.#restMs) - now + rounds * this.#restMs
  }

  lower(limit: number): void {
    const from = this.#limit.limit
    const share = shareOf({ limit, intervalMs: this.#intervalMs }, this.#processes)
    this.#restMs = Math.max(this.#restMs, share.intervalMs + safetyMarginMs)
    if (share.limit >= from) return
    this.#limit.lower(share.limit)
    publish('aurora-iam:rate-limit:lowered', () => ({ key: this.#key, from, to: share.limit }))
  }

  /** The queue asks for each permit; there is nothing to prepare. */
  demand(): void {}

  isIdle(now: number): boolean {
    this.#update(now)
    return this.#occupied === 0
  }

  readonly trouble = undefined

  counts(now: number): PermitCounts {
    this.#update(now)
    const effectiveLimit = this.#limit.at(now)
    return {
      ...this.#counts,
      limit: this.#limit.limit,
      effectiveLimit,
      available: now < this.#opensAt ? 0 : Math.max(0, effectiveLimit - this.#occupied),
      processes: this.#processes,
      storeLost: false,
      inFlight: this.#inFlight.length,
      dryRunDelayed: this.#dryRun?.exceeded ?? 0,
      dryRunMaxWaitMs: this.#dryRun?.longestMs ?? 0,
    }
  }

  get #occupied(): number {
    return this.#inFlight.length + this.#resting.length
  }

  /** Ends the attempts that nobody settled in time and frees the places whose rest is over. */
  #update(now: number): void {
    for (let oldest = this.#inFlight.first; oldest !== undefined; oldest = this.#inFlight.first) {
      const expiresAt = oldest.grantedAt + this.#permitTtlMs
      if (expiresAt > now) break
      this.#leaveFlight(oldest)
      this.#resting.push(expiresAt + this.#restMs)
      this.#counts.expired += 1
    }
    for (
      let freeAt = this.#resting.first;
      freeAt !== undefined && freeAt <= now;
      freeAt = this.#resting.first
    ) {
      this.#resting.shift()
    }
  }

  #nextChangeAt(now: number): number {
    const oldest = this.#inFlight.first
    return Math.min(
      this.#resting.first ?? Number.POSITIVE_INFINITY,
      oldest === undefined ? Number.POSITIVE_INFINITY : oldest.grantedAt + this.#permitTtlMs + this.#restMs,
      this.#limit.growsAt(now),
    )
  }

  #settle(attempt: Attempt, outcome: PermitOutcome): void {
    const now = this.#clock.now()
    this.#update(now)
    if (!this.#leaveFlight(attempt)) return
    this.#resting.push(now + this.#restMs)
    if (outcome === 'throttled') {
      this.#counts.throttled += 1
      this.#limit.throttled(attempt.grantedAt, now)
      publish('aurora-iam:rate-limit:throttled', () => ({
        key: this.#key,
        effectiveLimit: this.#limit.at(now),
      }))
    } else if (outcome === 'failed') this.#counts.failed += 1
    else this.#counts.succeeded += 1
    this.#wake()
  }

  #cancel(attempt: Attempt): void {
    this.#update(this.#clock.now())
    if (!this.#leaveFlight(attempt)) return
    this.#counts.cancelled += 1
    this.#wake()
  }

  /** Whether the attempt was still in flight: one that has ended before has no place left to give back. */
  #leaveFlight(attempt: Attempt): boolean {
    if (attempt.place === undefined) return false
    this.#inFlight.remove(attempt.place)
    attempt.place = undefined
    return true
  }
}

function startOf({ share, intervalMs, clock }: CompleteOptions): number {
  return share === undefined ? Number.NEGATIVE_INFINITY : clock.now() + Math.random() * intervalMs
}
