import type { Instant } from './leases.ts'
import type { FleetAnswer } from './store-reply.ts'

/** A step of less harms less than the network's own moods. */
const toleranceMs = 30

/** What two clocks that are both right may drift apart. */
const drift = 0.001

/**
 * Finds steps of the store's clock, by which places would come free too soon or far too late: between two answers it must have
 * gone on by as much as the clocks here, give or take the time that the questions were under way.
 */
export class FleetClockWatch {
  #last: { born: number; now: number; sent: Instant; received: Instant } | undefined

  /** What the store's clock must be now, a little less rather than more; undefined before the first answer. */
  storeTime({ now, wall }: Instant): number | undefined {
    const last = this.#last
    if (last === undefined) return undefined
    return Math.floor(last.now + Math.max(now - last.received.now, wall - last.received.wall))
  }

  /** Whether the store's clock was set since the last answer about the same state. */
  hasStepped({ born, now }: FleetAnswer, sent: Instant, received: Instant): boolean {
    const last = this.#last
    this.#last = { born, now, sent, received }
    if (last === undefined || last.born !== born) return false
    const atLeast = Math.min(sent.now - last.received.now, sent.wall - last.received.wall)
    const atMost = Math.max(received.now - last.sent.now, received.wall - last.sent.wall)
    const tolerance = toleranceMs + atMost * drift
    const passed = now - last.now
    return passed < atLeast - tolerance || passed > atMost + tolerance
  }
}
