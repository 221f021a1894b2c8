import { publish } from './events.ts'
import type { CompleteOptions } from './limiter-options.ts'
import { nextPermitNumber, type Permit, type PermitLane, type PermitOutcome, permitId } from './permit.ts'
import { LinkedList, type ListNode } from './queue/linked-list.ts'

/** End of a permit. */
export type PermitEnding = PermitOutcome | 'cancelled' | 'expired'

/** Additions of a source to its permits. One object may serve all of them. */
export interface PermitTerms {
  readonly isLapsed: () => boolean
  /** Is called once, when the permit has ended. */
  readonly onEnd: (ending: PermitEnding, at: number, grantedAt: number) => void
}

/** A permit in flight. */
class LedgerPermit implements Permit {
  readonly lane: PermitLane
  readonly waitedMs: number
  readonly grantedAt: number
  readonly terms: PermitTerms
  /** Position among the permits in flight; undefined once the permit has ended. */
  node: ListNode<LedgerPermit> | undefined = undefined
  readonly #ledger: PermitLedger
  readonly #number = nextPermitNumber()

  constructor(
    ledger: PermitLedger,
    grantedAt: number,
    waitedMs: number,
    lane: PermitLane,
    terms: PermitTerms,
  ) {
    this.#ledger = ledger
    this.grantedAt = grantedAt
    this.waitedMs = waitedMs
    this.lane = lane
    this.terms = terms
  }

  get id(): string {
    return permitId(this.#number)
  }

  get isLapsed(): boolean {
    return this.#ledger.hasExpired(this) || this.terms.isLapsed()
  }

  release(outcome: PermitOutcome = 'ok'): void {
    this.#ledger.end(this, outcome)
  }

  cancel(): void {
    this.#ledger.end(this, 'cancelled')
  }
}

/** The permits that this process granted: what is in flight, how each ended, and the events of both. */
export class PermitLedger {
  readonly #clock: CompleteOptions['clock']
  readonly #permitTtlMs: number
  readonly #key: string | undefined
  /** In the order of their grants, so also of the instants when they expire. */
  readonly #inFlight = new LinkedList<LedgerPermit>()
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

  grant(now: number, requestedAt: number, lane: PermitLane, terms: PermitTerms): Permit {
    const permit = new LedgerPermit(this, now, now - requestedAt, lane, terms)
    permit.node = this.#inFlight.push(permit)
    this.counts.granted += 1
    return permit
  }

  /** Returns whether the time of a permit is over. */
  hasExpired({ grantedAt }: { readonly grantedAt: number }): boolean {
    return this.#clock.now() >= grantedAt + this.#permitTtlMs
  }

  /** Ends a permit now, unless it has ended. */
  end(permit: LedgerPermit, ending: PermitEnding): void {
    this.#end(permit, ending, this.#clock.now())
  }

  /** Ends the permits that were neither released nor cancelled in time. */
  expire(now: number): void {
    for (let oldest = this.#inFlight.first; oldest !== undefined; oldest = this.#inFlight.first) {
      const expiresAt = oldest.grantedAt + this.#permitTtlMs
      if (expiresAt > now) break
      this.#end(oldest, 'expired', expiresAt)
    }
  }

  #end(permit: LedgerPermit, ending: PermitEnding, at: number): void {
    // A release that is late must not end what expired before it.
    if (ending !== 'expired') this.expire(at)
    if (permit.node === undefined) return
    this.#inFlight.remove(permit.node)
    permit.node = undefined
    this.counts[ending === 'ok' ? 'succeeded' : ending] += 1
    publish('aurora-iam:rate-limit:permit', () => {
      const { id, grantedAt } = permit
      const common = { key: this.#key, id, heldMs: at - grantedAt }
      if (ending === 'cancelled' || ending === 'expired') return { ...common, type: ending }
      return { ...common, type: 'released', outcome: ending }
    })
    permit.terms.onEnd(ending, at, permit.grantedAt)
  }
}
