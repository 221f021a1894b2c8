/**
 * Permits of a simulated limiter, by the time at which each is free again: a binary heap with the earliest at its top.
 * All are free at the time 0.
 */
export class Permits {
  readonly #freeAt: Float64Array

  constructor(limit: number) {
    this.#freeAt = new Float64Array(limit)
  }

  /** Time at which the next permit is free, in milliseconds. */
  get earliestMs(): number {
    return this.#freeAt[0] as number
  }

  /** Occupies the permit that is free first. */
  occupyUntil(untilMs: number): void {
    const heap = this.#freeAt
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child += 1
      if ((heap[child] as number) >= untilMs) break
      heap[place] = heap[child] as number
      place = child
    }
    heap[place] = untilMs
  }
}
