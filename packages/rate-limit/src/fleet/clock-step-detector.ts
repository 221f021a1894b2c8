import type { Instant } from './leases.ts'
import type { StoreReply } from './store-reply.ts'

/** A smaller step does less harm than the variation of the network. */
const toleranceMs = 30

/** Most that two clocks that are both right drift apart, as a ratio. */
const drift = 0.001

/**
 * Finds steps of the store's clock, by which permits would be free too soon or far too late. Between two replies it
 * must advance by as much as the clocks here, plus or minus the time that the requests were under way.
 */
export class ClockStepDetector {
  #last: { born: number; now: number; sent: Instant; received: Instant } | undefined

  /** Returns what the store's clock shows now, rather less than more; undefined before the first reply. */
  storeTime({ now, wall }: Instant): number | undefined {
    const last = this.#last
    if (last === undefined) return undefined
    return Math.floor(last.now + Math.max(now - last.received.now, wall - last.received.wall))
  }

  /** Returns whether the store's clock was set since the last reply about the same state. */
  hasStepped({ born, now }: StoreReply, sent: Instant, received: Instant): boolean {
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
