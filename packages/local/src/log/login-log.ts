import {
  type ConnectFailedEvent,
  formatEvent,
  type LogEntry,
  type LogEvent,
  type LoginEvent,
} from './log-events.ts'

/** Most events that are kept. When there are more, the oldest are dropped. */
const MAX_EVENTS = 100_000

/**
 * Login log, which tests read. It has the beginning and the end of each connection, the fingerprint of each token, and
 * each rejection with its reason.
 */
export class LoginLog implements Iterable<LogEvent> {
  #events: LogEvent[] = []
  readonly #listeners = new Set<(event: LogEvent) => void>()
  readonly #now: () => number

  /** @param now - The clock that dates events, in epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Adds an event with the present time. */
  record(entry: LogEntry): void {
    const event: LogEvent = { ...entry, at: new Date(this.#now()), atMs: performance.now() }
    this.#events.push(event)
    if (this.#events.length > MAX_EVENTS) this.#events.splice(0, MAX_EVENTS / 10)
    for (const listener of this.#listeners) listener(event)
  }

  /** Iterates over all events, oldest first. */
  [Symbol.iterator](): Iterator<LogEvent> {
    return this.#events.values()
  }

  /** Number of clients that connected. */
  get connections(): number {
    return this.#ofType('connection').length
  }

  /** The logins that succeeded. */
  get logins(): LoginEvent[] {
    return this.#ofType('login')
  }

  /** The logins and changes of user that were rejected. */
  get refusals(): ConnectFailedEvent[] {
    return this.#ofType('refusal')
  }

  /** Number of tokens that arrived: accepted, rejected, and sent in the clear. */
  get tokensReceived(): number {
    return this.#ofType('token').length
  }

  /** The different tokens that arrived, in the order of their first arrival. */
  get fingerprints(): string[] {
    return [...new Set(this.#ofType('token').map(({ fingerprint }) => fingerprint))]
  }

  /** Returns the most tokens that arrived in an interval of `intervalMs` milliseconds, its end excluded. */
  peakTokens(intervalMs: number): number {
    const times = this.#ofType('token').map(({ atMs }) => atMs)
    let first = 0
    let most = 0
    for (const [last, time] of times.entries()) {
      while (time - (times[first] as number) >= intervalMs) first += 1
      most = Math.max(most, last - first + 1)
    }
    return most
  }

  /** Calls `listener` with every event from now on. Returns the function that stops it. */
  on(listener: (event: LogEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Removes all events. */
  clear(): void {
    this.#events = []
  }

  /** Returns one readable line per event. */
  toString(): string {
    return this.#events.map(formatEvent).join('\n')
  }

  #ofType<Type extends LogEvent['type']>(type: Type): Extract<LogEvent, { type: Type }>[] {
    return this.#events.filter((event): event is Extract<LogEvent, { type: Type }> => event.type === type)
  }
}
