import type { RateLimitClock } from '../src/index.ts'

interface Event {
  action: (() => unknown) | undefined
}

/**
 * A clock for thousands of plays side by side. All events of one millisecond happen together, so that their calls to
 * the store are one batch.
 */
export class LockstepClock implements RateLimitClock {
  #now = 5000
  readonly #events = new Map<number, Event[]>()

  now(): number {
    return this.#now
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const event = this.after(delayMs, callback)
    return () => {
      event.action = undefined
    }
  }

  after(delayMs: number, action: () => unknown): Event {
    const at = this.#now + Math.max(0, Math.ceil(delayMs))
    const event = { action }
    const events = this.#events.get(at)
    if (events === undefined) this.#events.set(at, [event])
    else events.push(event)
    return event
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve))
  }

  /**
   * Lets everything happen, until `until` resolves. The wall clock goes with this one meanwhile, and the jitter is
   * none.
   */
  async run<T>(until: Promise<T>): Promise<T> {
    const { now } = Date
    const { random } = Math
    // A mock would keep each of the calls.
    Date.now = () => 1_700_000_000_000 + this.#now
    Math.random = () => 0.5
    try {
      return await this.#run(until)
    } finally {
      Date.now = now
      Math.random = random
    }
  }

  async #run<T>(until: Promise<T>): Promise<T> {
    let isOver = false
    const over = until.finally(() => {
      isOver = true
    })
    await promiseCallbacks()
    while (!isOver) {
      const events = this.#events.get(this.#now)
      if (events === undefined) {
        this.#now += 1
        continue
      }
      this.#events.delete(this.#now)
      await Promise.all(events.map(({ action }) => action?.()))
      await promiseCallbacks()
    }
    return over
  }
}

async function promiseCallbacks(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
