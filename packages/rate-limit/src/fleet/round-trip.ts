/** A store farther away than this is treated as this far. */
const longestMs = 2500

/** Lease lengths come in steps: the store keeps a list of those in use. */
const stepMs = 500

/** Measured time to the store and back, and the leases and limits for it. It grows at once and shrinks slowly. */
export class RoundTrip {
  #ms = 0

  /** The estimate, in whole milliseconds. */
  get ms(): number {
    return Math.ceil(this.#ms)
  }

  /**
   * Time that the store keeps a permit for this process without a report: half a second where the store is near. A
   * longer lease costs more when a process crashes; a shorter one could not be renewed in time.
   */
  get leaseMs(): number {
    return stepMs * Math.ceil((250 + 3 * this.#ms) / stepMs)
  }

  /** After how long a request counts as unanswered. The store itself grants nothing to one that is older. */
  get patienceMs(): number {
    return 1000 + 2 * this.#ms
  }

  measure(ms: number): void {
    this.#ms = Math.min(longestMs, Math.max(ms, this.#ms * 0.8))
  }
}
