import type { RateLimitClock } from '../src/index.ts'

interface Event {
  at: number
  action: () => void | Promise<void>
}

/** A clock that moves only when told to, with timers as punctual or as sloppy as a test wants. */
export class SimulatedClock implements RateLimitClock {
  #now = 5000
  readonly #script = new Set<Event>()
  readonly #timers = new Set<Event>()
  readonly #lateness: () => number

  /** @param lateness - by how many milliseconds the next timer is late; negative for early. */
  constructor(lateness: () => number = () => 0) {
    this.#lateness = lateness
  }

  now(): number {
    return this.#now
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = { at: this.#now + delayMs + this.#lateness(), action: callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** When each timer that the limiter has set will fire. */
  get timers(): number[] {
    return [...this.#timers].map(({ at }) => at)
  }

  /** Schedules an action of the test. */
  after(delayMs: number, action: () => void | Promise<void>): void {
    this.#script.add({ at: this.#now + delayMs, action })
  }

  /** Moves on by `durationMs`, letting happen what is due on the way. */
  async advance(durationMs: number): Promise<void> {
    const until = this.#now + durationMs
    await this.#run(until)
    this.#now = until
  }

  /** Lets everything happen, one event after the other, until nothing is due any more. */
  async runOut(afterEach: () => void = () => {}): Promise<void> {
    await this.#run(Number.POSITIVE_INFINITY, afterEach)
  }

  async #run(until: number, afterEach: () => void = () => {}): Promise<void> {
    await promiseCallbacks()
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) {
      this.#script.delete(next)
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      await next.action()
      await promiseCallbacks()
      afterEach()
    }
  }

  #next(): Event | undefined {
    let next: Event | undefined
    for (const event of [...this.#script, ...this.#timers]) {
      if (next === undefined || event.at < next.at) next = event
    }
    return next
  }
}

function promiseCallbacks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
