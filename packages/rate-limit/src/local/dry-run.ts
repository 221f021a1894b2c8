import { LinkedList } from '../queue/linked-list.ts'

/** Plans, for a dry run, when each request would have been granted if every attempt settled at once. */
export class WouldBeWaits {
  readonly #intervalMs: number
  readonly #grants = new LinkedList<number>()
  exceeded = 0
  longestMs = 0

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** Plans one request made now: behind the one made `limit` requests earlier by at least the interval. */
  record(now: number, limit: number): void {
    while (this.#grants.length > limit) this.#grants.shift()
    const isFull = this.#grants.length === limit
    const grantAt = isFull ? Math.max(now, (this.#grants.shift() as number) + this.#intervalMs) : now
    this.#grants.push(grantAt)
    if (grantAt > now) this.exceeded += 1
    this.longestMs = Math.max(this.longestMs, grantAt - now)
  }
}
