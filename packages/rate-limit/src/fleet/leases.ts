import type { StoreReply } from './store-reply.ts'

/** A holder stops this long before its lease ends: the clocks of two machines differ in speed, and timers are late. */
const guardMs = 50

/** Outcomes are reported together within this time. Each has its age, so a late report loses nothing. */
const reportWithinMs = 100

/** An instant on both clocks: a machine that was frozen may find that only the wall clock has gone on. */
export interface Instant {
  readonly now: number
  readonly wall: number
}

const lapsed: Instant = { now: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY }

/** One permit of the fleet that this process holds. */
export interface FleetLease {
  readonly id: number
  /** When it may be used. */
  usableAt: number
  /** Until when it covers an attempt. */
  validUntil: Instant
  stage: 'ready' | 'inFlight' | 'ended'
  /** End of its attempt; undefined when none was made. */
  outcome: { at: number; throttled: boolean } | undefined
}

/** Report of a process to the store about its permits. */
export interface LeaseReport {
  /** Identifier, age of the outcome in milliseconds, and 1 for a throttled attempt. */
  readonly settled: ReadonlyArray<readonly [id: number, ageMs: number, throttled: 0 | 1]>
  readonly cancelled: readonly number[]
}

/**
 * The permits of the fleet that this process holds. Each reply of the store lists all of them. A permit that has ended
 * is kept beyond that, until the store has received its outcome.
 */
export class FleetLeases {
  readonly #known = new Map<number, FleetLease>()

  /** Returns the next permit that may be used, or the instant at which the soonest of them may. */
  ready(now: number): FleetLease | number {
    let soonest: FleetLease | undefined
    for (const lease of this.#at('ready')) {
      if (hasLapsed(lease, now)) continue
      if (soonest === undefined || lease.usableAt < soonest.usableAt) soonest = lease
    }
    if (soonest === undefined) return Number.POSITIVE_INFINITY
    return soonest.usableAt <= now ? soonest : soonest.usableAt
  }

  /** Returns how many permits wait to be used. */
  readyCount(now: number): number {
    let count = 0
    for (const lease of this.#at('ready')) if (!hasLapsed(lease, now)) count += 1
    return count
  }

  /** Returns permits that no request waits for any more, those of the latest use first. */
  releaseExcess(count: number): void {
    const ready = [...this.#at('ready')]
    if (ready.length <= count) return
    ready.sort((one, other) => one.usableAt - other.usableAt)
    for (const lease of ready.slice(count)) lease.stage = 'ended'
  }

  get hasReports(): boolean {
    for (const _ of this.#at('ended')) return true
    return false
  }

  /**
   * Returns when the store has to receive something from this process: what ended, or that a permit is still in use.
   * An outcome waits for others only where more are to come.
   */
  dueAt(leaseMs: number): number {
    let due = Number.POSITIVE_INFINITY
    let endedAt = Number.POSITIVE_INFINITY
    let isLast = true
    for (const { stage, outcome, validUntil } of this.#known.values()) {
      if (stage === 'ended') endedAt = Math.min(endedAt, outcome?.at ?? Number.NEGATIVE_INFINITY)
      else isLast = false
      if (stage === 'inFlight' && validUntil !== lapsed) due = Math.min(due, validUntil.now - leaseMs / 2)
    }
    return Math.min(due, isLast && endedAt < Number.POSITIVE_INFINITY ? 0 : endedAt + reportWithinMs)
  }

  report(now: number): LeaseReport {
    const ended = [...this.#at('ended')]
    return {
      settled: ended.flatMap(({ id, outcome }) =>
        outcome ? [[id, Math.max(0, Math.floor(now - outcome.at)), outcome.throttled ? 1 : 0] as const] : [],
      ),
      cancelled: ended.filter(({ outcome }) => outcome === undefined).map(({ id }) => id),
    }
  }

  /** Forgets what the store has received. */
  acknowledge({ settled, cancelled }: LeaseReport): void {
    for (const [id] of settled) this.#known.delete(id)
    for (const id of cancelled) this.#known.delete(id)
  }

  /**
   * Adds the permit that the store gave, in its reply to a request of `sent`, to an attempt that was made without it.
   */
  adopt(id: number, sent: Instant, stage: 'inFlight' | 'ended'): FleetLease {
    const lease: FleetLease = { id, usableAt: sent.now, validUntil: sent, stage, outcome: undefined }
    this.#known.set(id, lease)
    return lease
  }

  /** Updates the permits by the reply to a request for leases of `leaseMs`. */
  update({ held }: StoreReply, leaseMs: number, sent: Instant, receivedAt: number): void {
    const listed = new Set(held.map(({ id }) => id))
    for (const lease of this.#known.values()) {
      if (listed.has(lease.id)) continue
      if (lease.stage === 'ready') this.#known.delete(lease.id)
      else lease.validUntil = lapsed
    }
    for (const { id, waitMs } of held) {
      // The store counts from a moment between sending and receiving: the later start and the earlier end are safe.
      const usableAt = receivedAt + waitMs
      const validMs = waitMs + leaseMs - guardMs
      const validUntil = { now: sent.now + validMs, wall: sent.wall + validMs }
      const lease = this.#known.get(id)
      if (lease === undefined) {
        this.#known.set(id, { id, usableAt, validUntil, stage: 'ready', outcome: undefined })
      } else {
        lease.usableAt = Math.min(lease.usableAt, usableAt)
        lease.validUntil = validUntil
      }
    }
  }

  *#at(stage: FleetLease['stage']): Generator<FleetLease, void, undefined> {
    for (const lease of this.#known.values()) if (lease.stage === stage) yield lease
  }
}

/** Returns whether others may use this permit. */
export function hasLapsed({ validUntil }: FleetLease, now: number): boolean {
  return now >= validUntil.now || Date.now() >= validUntil.wall
}
