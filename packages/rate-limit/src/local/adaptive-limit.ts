/**
 * The limit in force: the configured one, halved each time the server says that it is still too much, and grown back
 * by one place per `recoveryIntervalMs`. Growth is read off the clock, so it needs no timer.
 */
export class AdaptiveLimit {
  readonly #intervalMs: number
  readonly #recoveryIntervalMs: number
  #limit: number
  #cutTo: number
  #cutAt = Number.NEGATIVE_INFINITY

  constructor(options: { limit: number; intervalMs: number; recoveryIntervalMs: number }) {
    this.#limit = options.limit
    this.#cutTo = options.limit
    this.#intervalMs = options.intervalMs
    this.#recoveryIntervalMs = options.recoveryIntervalMs
  }

  /** The configured limit. */
  get limit(): number {
    return this.#limit
  }

  /** Returns the limit in force, from 1 to `limit`. */
  at(now: number): number {
    return Math.min(this.#limit, this.#cutTo + Math.floor((now - this.#cutAt) / this.#recoveryIntervalMs))
  }

  /** Returns when the limit in force grows next; `Infinity` when it is whole. */
  growsAt(now: number): number {
    if (this.at(now) === this.#limit) return Number.POSITIVE_INFINITY
    return (
      this.#cutAt +
      (Math.floor((now - this.#cutAt) / this.#recoveryIntervalMs) + 1) * this.#recoveryIntervalMs
    )
  }

  lower(limit: number): void {
    this.#limit = Math.min(this.#limit, limit)
  }

  /**
   * Halves the limit, at most once per interval and only for an attempt granted after the last cut: the refusals of one
   * burst are one piece of news.
   */
  throttled(grantedAt: number, now: number): void {
    if (grantedAt <= this.#cutAt || now - this.#cutAt < this.#intervalMs) return
    this.#cutTo = Math.max(1, Math.floor(this.at(now) / 2))
    this.#cutAt = now
  }
}
