import { LocalPermits } from '../local/local-permits.ts'
import type { CompleteOptions } from '../options.ts'
import type { Permit } from '../permit.ts'
import { leaseMs } from './leases.ts'

/** Alone only while it is sure that the store was still lost so lately: others notice its return as fast. */
const trustedForMs = 500

/** What a process does while it cannot reach the store, which it tries again and again for as long as somebody waits. */
export class FleetOutage {
  readonly since: number
  /** How many processes there were. */
  readonly processes: number
  /** The permits to go on with alone; undefined when nothing is to be granted. */
  readonly alone: LocalPermits | undefined
  readonly #opensAt: number = Number.POSITIVE_INFINITY
  error: Error
  /** When the store was found lost, last. */
  confirmedAt: number
  /** When going on alone ends, by the store's word. */
  endsAt = Number.POSITIVE_INFINITY

  /** @param options - with, in `share`, the number of processes that are left to themselves now. */
  constructor(options: CompleteOptions, key: string | undefined, error: Error) {
    this.since = options.clock.now()
    this.confirmedAt = this.since
    this.error = error
    this.processes = options.share?.processes ?? 1
    const { onStoreLost, intervalMs } = options
    if (onStoreLost === 'fail-closed') return
    // Whatever the fleet was granted before has by then ended and left the interval.
    const opensAt = onStoreLost === 'share' ? this.since + leaseMs + intervalMs : this.since
    const { share, ...others } = options
    this.alone = new LocalPermits(onStoreLost === 'share' ? options : { ...others, share: undefined }, key)
    this.#opensAt = opensAt
  }

  /** @param isAsked - whether the store has a question that it has not answered. */
  take(now: number, requestedAt: number, isAsked: boolean): Permit | number {
    const isLost = isAsked || now - this.confirmedAt <= trustedForMs
    if (this.alone === undefined || !isLost || now >= this.endsAt) {
      return Number.POSITIVE_INFINITY
    }
    if (now < this.#opensAt) return this.#opensAt
    return this.alone.take(now, requestedAt, 'live')
  }
}
