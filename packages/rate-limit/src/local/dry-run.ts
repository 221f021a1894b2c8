import { LinkedList } from '../queue/linked-list.ts'

/** Plans, for a dry run, when each request would have been granted if every attempt ended at once. */
export class DryRun {
  readonly #intervalMs: number
  readonly #grants = new LinkedList<number>()
  delayed = 0
  maxWaitMs = 0

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** Plans one request made now: at least the interval behind the one made `limit` requests earlier. */
  record(now: number, limit: number): void {
    while (this.#grants.length > limit) this.#grants.shift()
    const isFull = this.#grants.length === limit
    const grantAt = isFull ? Math.max(now, (this.#grants.shift() as number) + this.#intervalMs) : now
    this.#grants.push(grantAt)
    if (grantAt > now) this.delayed += 1
    this.maxWaitMs = Math.max(this.maxWaitMs, grantAt - now)
  }
}
