const SHORTEST_MS = 2_000
const LONGEST_MS = 10_000

/**
 * When the credential source may be asked anew because the database refused what it gave: at once, as a key may have been
 * rotated; and then ever more seldom while no login is accepted, as whoever is refused may lack a permission.
 */
export class DistrustPause {
  #lengthMs = SHORTEST_MS
  #endsAt = Number.NEGATIVE_INFINITY

  /** Begins a pause, unless one is under way. Whoever began it may ask the source now. */
  begin(): boolean {
    const now = performance.now()
    if (now < this.#endsAt) return false
    this.#endsAt = now + this.#lengthMs
    this.#lengthMs = Math.min(2 * this.#lengthMs, LONGEST_MS)
    return true
  }

  /** A login was accepted: the next pause is a short one. */
  shorten(): void {
    this.#lengthMs = SHORTEST_MS
  }
}
