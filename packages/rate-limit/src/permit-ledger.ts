import { publish } from './events.ts'
import type { CompleteOptions } from './options.ts'
import { nextPermitId, type Permit, type PermitLane, type PermitOutcome } from './permit.ts'
import { LinkedList, type ListNode } from './queue/linked-list.ts'

/** End of a permit. */
export type PermitEnding = PermitOutcome | 'cancelled' | 'expired'

/** Additions of a source to a permit. */
export interface PermitTerms {
  readonly isLapsed: () => boolean
  /** Is called once, when the permit has ended. */
  readonly onEnd: (ending: PermitEnding, at: number) => void
}

interface Entry extends PermitTerms {
  readonly id: string
  readonly grantedAt: number
  /** Position among the permits in flight; undefined once the permit has ended. */
  node: ListNode<Entry> | undefined
}

/** The permits that this process granted: what is in flight, how each ended, and the events of both. */
export class PermitLedger {
  readonly #clock: CompleteOptions['clock']
  readonly #permitTtlMs: number
  readonly #key: string | undefined
  /** In the order of their grants, so also of the instants when they expire. */
  readonly #inFlight = new LinkedList<Entry>()
  readonly counts = { granted: 0, cancelled: 0, succeeded: 0, failed: 0, throttled: 0, expired: 0 }

  /** @param key - the key of a shared limiter, for events. */
  constructor({ clock, permitTtlMs }: CompleteOptions, key: string | undefined) {
    this.#clock = clock
    this.#permitTtlMs = permitTtlMs
    this.#key = key
  }

  get inFlight(): number {
    return this.#inFlight.length
  }

  /** When the oldest permit in flight expires; `Infinity` when there is none. */
  get expiresAt(): number {
    const oldest = this.#inFlight.first
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.grantedAt + this.#permitTtlMs
  }

  grant(now: number, requestedAt: number, lane: PermitLane, { isLapsed, onEnd }: PermitTerms): Permit {
    const entry: Entry = { id: nextPermitId(), grantedAt: now, isLapsed, onEnd, node: undefined }
    entry.node = this.#inFlight.push(entry)
    this.counts.granted += 1
    const clock = this.#clock
    const expiresAt = now + this.#permitTtlMs
    return {
      id: entry.id,
      lane,
      waitedMs: now - requestedAt,
      get isLapsed() {
        return clock.now() >= expiresAt || isLapsed()
      },
      release: (outcome = 'ok') => this.#end(entry, outcome, clock.now()),
      cancel: () => this.#end(entry, 'cancelled', clock.now()),
    }
  }

  /** Ends the permits that were neither released nor cancelled in time. */
  expire(now: number): void {
    for (let oldest = this.#inFlight.first; oldest !== undefined; oldest = this.#inFlight.first) {
      const expiresAt = oldest.grantedAt + this.#permitTtlMs
      if (expiresAt > now) break
      this.#end(oldest, 'expired', expiresAt)
    }
  }

  #end(entry: Entry, ending: PermitEnding, at: number): void {
    // A release that is late must not end what expired before it.
    if (ending !== 'expired') this.expire(at)
    if (entry.node === undefined) return
    this.#inFlight.remove(entry.node)
    entry.node = undefined
    this.counts[ending === 'ok' ? 'succeeded' : ending] += 1
    publish('aurora-iam:rate-limit:permit', () => {
      const { id, grantedAt } = entry
      const common = { key: this.#key, id, heldMs: at - grantedAt }
      if (ending === 'cancelled' || ending === 'expired') return { ...common, type: ending }
      return { ...common, type: 'released', outcome: ending }
    })
    entry.onEnd(ending, at)
  }
}
