import { vi } from 'vitest'
import type { RateLimitClock } from '../src/index.ts'

interface Event {
  at: number
  /** Events of one instant happen in the order in which they were planned. */
  order: number
  action: (() => void | Promise<void>) | undefined
  isTimer: boolean
  isBackground: boolean
}

/** A clock that moves only when told to, with timers as punctual or as late as a test wants. */
export class SimulatedClock implements RateLimitClock {
  #now = 5000
  #planned = 0
  /** Events of the test and timers in the foreground that are still to come. */
  #pending = 0
  readonly #heap: Event[] = []
  readonly #lateness: () => number

  /** @param lateness - by how many milliseconds the next timer is late; negative for early. */
  constructor(lateness: () => number = () => 0) {
    this.#lateness = lateness
  }

  now(): number {
    return this.#now
  }

  /** Ties the wall clock to this one, until the test is over or the mocks are restored. */
  driveWallClock(): void {
    vi.spyOn(Date, 'now').mockImplementation(() => 1_700_000_000_000 + this.#now)
  }

  setTimer(callback: () => void, delayMs: number, isBackground = false): () => void {
    const event = this.#plan(delayMs + this.#lateness(), callback, true, isBackground)
    return () => this.#settle(event)
  }

  /** When each timer that the limiter has set will fire. */
  get timers(): number[] {
    return this.#heap.filter(({ action, isTimer }) => isTimer && action !== undefined).map(({ at }) => at)
  }

  /** Plans an action of the test. */
  after(delayMs: number, action: () => void | Promise<void>): void {
    this.#plan(delayMs, action, false, false)
  }

  /** Moves on by `durationMs`, and lets happen what is due meanwhile. */
  async advance(durationMs: number): Promise<void> {
    const until = this.#now + durationMs
    await promiseCallbacks()
    while ((this.#first()?.at ?? Number.POSITIVE_INFINITY) <= until) await this.#step()
    this.#now = until
  }

  /**
   * Lets everything happen, one event after the other, until nothing but timers in the background is due.
   *
   * @param afterEach - is called after each event; true ends it.
   */
  async runOut(afterEach: () => unknown = () => {}): Promise<void> {
    await promiseCallbacks()
    while (this.#pending > 0) {
      await this.#step()
      if (afterEach() === true) return
    }
  }

  #plan(delayMs: number, action: Event['action'], isTimer: boolean, isBackground: boolean): Event {
    const event = { at: this.#now + delayMs, order: this.#planned++, action, isTimer, isBackground }
    if (!isBackground) this.#pending += 1
    const heap = this.#heap
    let index = heap.push(event) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = event
    return event
  }

  #settle(event: Event): void {
    if (event.action === undefined) return
    event.action = undefined
    if (!event.isBackground) this.#pending -= 1
  }

  /** Returns the next event, and removes the cancelled ones before it. */
  #first(): Event | undefined {
    while (this.#heap.length > 0 && this.#heap[0]!.action === undefined) this.#pop()
    return this.#heap[0]
  }

  async #step(): Promise<void> {
    const next = this.#first()
    if (next === undefined) return
    this.#pop()
    const { action } = next
    this.#settle(next)
    this.#now = Math.max(this.#now, next.at)
    await action?.()
    await promiseCallbacks()
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
      if (!isBefore(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}

/** Waits for many more promises than a chain in the limiter has. Cheaper than an iteration of the event loop. */
async function promiseCallbacks(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
