import type { FleetAnswer } from './store-reply.ts'

/**
 * How long the store keeps a place for a permit whose holder is silent. What a crash costs, against what a slow
 * network or a busy process may take.
 */
export const leaseMs = 500

/** What the process stops short of the lease's end, for its last packet to reach the database. */
const guardMs = 50

/** Outcomes are told together: each says how old it is, so nothing is lost by that. */
const reportWithinMs = 100

/** An instant on both clocks: a machine that was frozen may find that only the wall clock has gone on. */
export interface Instant {
  readonly now: number
  readonly wall: number
}

const lapsed: Instant = { now: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY }

/** One permit of the fleet in this process's hands. */
export interface FleetLease {
  readonly id: number
  /** When it may be used. */
  usableAt: number
  /** Until when it covers an attempt. */
  validUntil: Instant
  stage: 'ready' | 'inFlight' | 'ended'
  /** How its attempt ended; undefined when none was made. */
  outcome: { at: number; throttled: boolean } | undefined
}

/** What a process tells the store about its permits. */
export interface LeaseReport {
  readonly settled: ReadonlyArray<{ id: number; age: number; throttled: boolean }>
  readonly cancelled: readonly number[]
}

/**
 * The permits of the fleet that this process holds. Each answer of the store is the whole truth about them; only what has
 * ended is remembered beyond that, until the store has heard of it.
 */
export class FleetLeases {
  readonly #known = new Map<number, FleetLease>()

  /** The next permit that may be used, or when the soonest of those at hand may. */
  ready(now: number): FleetLease | number {
    let soonest: FleetLease | undefined
    for (const lease of this.#at('ready')) {
      if (hasLapsed(lease, now)) continue
      if (soonest === undefined || lease.usableAt < soonest.usableAt) soonest = lease
    }
    if (soonest === undefined) return Number.POSITIVE_INFINITY
    return soonest.usableAt <= now ? soonest : soonest.usableAt
  }

  /** How many permits are at hand. */
  readyCount(now: number): number {
    return [...this.#at('ready')].filter((lease) => !hasLapsed(lease, now)).length
  }

  /** Gives back permits that nobody waits for any more, those of the latest use first. */
  keep(count: number): void {
    const ready = [...this.#at('ready')].sort((one, other) => one.usableAt - other.usableAt)
    for (const lease of ready.slice(count)) lease.stage = 'ended'
  }

  /** When the store has to hear from this process, of something given back or to keep what is in use. */
  dueAt(): number {
    let due = Number.POSITIVE_INFINITY
    for (const { stage, outcome, validUntil } of this.#known.values()) {
      if (stage === 'ended') {
        due = Math.min(due, outcome === undefined ? Number.NEGATIVE_INFINITY : outcome.at + reportWithinMs)
      } else if (stage === 'inFlight' && validUntil !== lapsed) {
        due = Math.min(due, validUntil.now - leaseMs / 2)
      }
    }
    return due
  }

  report(now: number): LeaseReport {
    const ended = [...this.#at('ended')]
    return {
      settled: ended.flatMap(({ id, outcome }) =>
        outcome ? [{ id, age: Math.floor(now - outcome.at), throttled: outcome.throttled }] : [],
      ),
      cancelled: ended.filter(({ outcome }) => outcome === undefined).map(({ id }) => id),
    }
  }

  /** Takes in the answer to a step that was sent with `report`. */
  update({ held }: FleetAnswer, report: LeaseReport, sent: Instant, receivedAt: number): void {
    for (const { id } of report.settled) this.#known.delete(id)
    for (const id of report.cancelled) this.#known.delete(id)
    const listed = new Set(held.map(({ id }) => id))
    for (const lease of this.#known.values()) {
      if (listed.has(lease.id) || lease.stage === 'ended') continue
      if (lease.stage === 'ready') this.#known.delete(lease.id)
      else lease.validUntil = lapsed
    }
    for (const { id, waitMs } of held) {
      // Redis reckons from a moment between sending and receiving: what is sure is the later start and the earlier end.
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

/** Whether others may count on the place of this permit. */
export function hasLapsed({ validUntil }: FleetLease, now: number): boolean {
  return now >= validUntil.now || Date.now() >= validUntil.wall
}
