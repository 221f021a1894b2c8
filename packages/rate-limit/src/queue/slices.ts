import { monotonicMs } from '../monotonic-ms.ts'
import { LinkedList } from './linked-list.ts'

/** A slice ends after so many steps or milliseconds, whichever comes first. */
const stepsAtOnce = 500
const sliceMs = 4

const stepsBetweenLooks = 32

/**
 * Runs long jobs in slices, so that ending a hundred thousand requests does not block the event loop. One slice runs in
 * each turn of the loop: the first at once.
 */
export class Slices {
  readonly #jobs = new LinkedList<Iterator<unknown>>()
  readonly #afterSlice: () => void
  #hasRunThisTurn = false

  /** @param afterSlice - is called after each slice. */
  constructor(afterSlice: () => void) {
    this.#afterSlice = afterSlice
  }

  /** Runs a job, whose steps are what it yields. Jobs run in order. */
  run(job: Iterator<unknown>): void {
    this.#jobs.push(job)
    if (!this.#hasRunThisTurn) this.#slice()
  }

  #slice(): void {
    this.#hasRunThisTurn = true
    setImmediate(() => {
      this.#hasRunThisTurn = false
      if (this.#jobs.length > 0) this.#slice()
    })
    const until = monotonicMs() + sliceMs
    for (let step = 0; step < stepsAtOnce; step++) {
      const job = this.#jobs.first
      if (job === undefined) break
      if (step % stepsBetweenLooks === stepsBetweenLooks - 1 && monotonicMs() >= until) break
      if (job.next().done) this.#jobs.shift()
    }
    this.#afterSlice()
  }
}
