/** Bounds of the exponential backoff. */
const firstRetryMs = 250
const longestRejectedRetryMs = 2000
const firstUnansweredRetryMs = 2000
const longestUnansweredRetryMs = 4000
const longestColdRetryMs = 30_000

/** Exponential backoff of the requests to a store that fails. */
export class StoreBackoff {
  #failures = 0
  #failedAt = Number.NEGATIVE_INFINITY
  /** Spreads the retries of many processes. It is constant between two requests, so that plans are stable. */
  #jitter = 1

  get hasFailed(): boolean {
    return this.#failures > 0
  }

  /** Draws the jitter of the retry after a request that is sent now. */
  drawJitter(): void {
    this.#jitter = 0.8 + 0.4 * Math.random()
  }

  countFailure(): void {
    this.#failures += 1
  }

  /** Notes when the store was found to fail: the retry after a rejection counts from there. */
  failAt(now: number): void {
    this.#failedAt = now
  }

  /** Begins again with one failure, after a reply that came too late to grant anything. */
  restart(now: number): void {
    this.#failures = 1
    this.#failedAt = now
  }

  reset(): void {
    this.#failures = 0
  }

  /** Returns the instant of the request after one that failed. */
  afterFailure(): number {
    return this.#failedAt + this.#delayMs(firstRetryMs, longestRejectedRetryMs)
  }

  /**
   * Returns the instant of the request after one of `sentAt` that has no reply.
   *
   * @param isCold - whether the store has never replied to this process.
   */
  afterNoReply(sentAt: number, isCold: boolean): number {
    return (
      sentAt + this.#delayMs(firstUnansweredRetryMs, isCold ? longestColdRetryMs : longestUnansweredRetryMs)
    )
  }

  #delayMs(firstMs: number, longestMs: number): number {
    return Math.min(longestMs, firstMs * 2 ** Math.max(0, this.#failures - 1)) * this.#jitter
  }
}
