import type { RateLimitClock } from '../clock.ts'

/** One call at the instant that a plan names. The plan is made again after each change and after each call. */
export class PlannedCall {
  readonly #clock: RateLimitClock
  readonly #dueAt: () => number
  readonly #call: () => void
  #isQueued = false
  #timer: { at: number; cancel: () => void } | undefined

  /** @param dueAt - returns the instant to call at; `Infinity` for never. */
  constructor(clock: RateLimitClock, dueAt: () => number, call: () => void) {
    this.#clock = clock
    this.#dueAt = dueAt
    this.#call = call
  }

  /** Makes the plan again. A call that is due runs in a microtask. */
  update(): void {
    if (this.#isQueued) return
    const now = this.#clock.now()
    const at = this.#dueAt()
    if (this.#timer !== undefined && this.#timer.at === at) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (at === Number.POSITIVE_INFINITY) return
    if (at <= now) {
      this.#isQueued = true
      // What else the caller changes synchronously, such as a second request, is part of the same call.
      queueMicrotask(() => {
        this.#isQueued = false
        this.#run()
      })
      return
    }
    const run = () => {
      this.#timer = undefined
      this.#run()
    }
    this.#timer = { at, cancel: this.#clock.setTimer(run, Math.ceil(at - now), true) }
  }

  #run(): void {
    this.#call()
    this.update()
  }
}
