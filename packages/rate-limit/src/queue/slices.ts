/** So many steps block the loop for a few milliseconds at most. */
const stepsAtOnce = 500

/**
 * Runs long jobs in slices, so that ending a hundred thousand requests does not block the event loop: the first slice at
 * once, the others one per turn of the loop.
 */
export class Slices {
  readonly #jobs: Iterator<unknown>[] = []
  readonly #afterSlice: () => void
  #isScheduled = false

  /** @param afterSlice - is called after each slice. */
  constructor(afterSlice: () => void) {
    this.#afterSlice = afterSlice
  }

  /** Runs a job, whose steps are what it yields. Jobs run in order. */
  run(job: Iterator<unknown>): void {
    this.#jobs.push(job)
    if (!this.#isScheduled) this.#slice()
  }

  #slice(): void {
    this.#isScheduled = false
    for (let step = 0; step < stepsAtOnce; step++) {
      const [job] = this.#jobs
      if (job === undefined) break
      if (job.next().done) this.#jobs.shift()
    }
    if (this.#jobs.length > 0) {
      this.#isScheduled = true
      setImmediate(() => this.#slice())
    }
    this.#afterSlice()
  }
}
