import type { Demand } from '../permit-source.ts'

/** Demand of this process, and its standing in the queue of the store. */
export class QueueStanding {
  #want: Demand = { live: 0, background: 0 }
  #turns: readonly [live: number, background: number] = [0, 0]
  /** True for a lane in which this process may stand in the queue of the store. */
  #isInQueue = { live: false, background: false }

  /** Permits that are wanted beyond those that the process holds, by lane. */
  get want(): Demand {
    return this.#want
  }

  get isWanted(): boolean {
    return this.#want.live + this.#want.background > 0
  }

  /** Turns of the process in the two lanes; 0 outside of the queue. */
  get turns(): readonly [live: number, background: number] {
    return this.#turns
  }

  /** True if the process stands in the queue of a lane in which it wants nothing any more. */
  get hasWithdrawn(): boolean {
    const { live, background } = this.#isInQueue
    return (live && this.#want.live === 0) || (background && this.#want.background === 0)
  }

  /** Sets the demand. Returns whether a lane wants permits that wanted none. */
  setWant(want: Demand): boolean {
    const { live, background } = this.#want
    this.#want = want
    return (want.live > 0 && live === 0) || (want.background > 0 && background === 0)
  }

  /** Notes that the demand is on its way to the store. */
  send(): void {
    this.#isInQueue.live ||= this.#want.live > 0
    this.#isInQueue.background ||= this.#want.background > 0
  }

  /** Takes the turns from a reply. */
  update(turns: readonly [live: number, background: number]): void {
    this.#turns = turns
    this.#isInQueue = { live: turns[0] > 0, background: turns[1] > 0 }
  }
}
