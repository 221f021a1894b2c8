import { LocalAuroraError } from '../errors.ts'

/** Rate of logins, which holds in every interval of its length. */
export interface ThrottleRate {
  /** Logins that are accepted in one interval, a positive whole number. */
  readonly limit: number
  /** Length of the interval in milliseconds. */
  readonly intervalMs: number
}

/** Logins per second, a rate, or `false` for no limit. */
export type ThrottleSetting = number | ThrottleRate | false

/**
 * Limit of logins, as Aurora limits new IAM connections: in each sliding interval. An attempt that is rejected counts
 * as well, so that a client which retries at once is rejected again.
 *
 * It uses the monotonic clock of the machine, and not a clock that a test moves.
 */
export class Throttle {
  #rate: ThrottleRate | undefined
  #attempts: number[] = []

  /** @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION` as {@link Throttle.set} does */
  constructor(setting: ThrottleSetting) {
    this.set(setting)
  }

  /**
   * Applies another rate. Attempts so far no longer count.
   *
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`
   */
  set(setting: ThrottleSetting): void {
    this.#rate = rateOf(setting)
    this.#attempts = []
  }

  /** Counts an attempt. Returns the rate that it exceeds, or undefined for an attempt that is accepted. */
  attempt(nowMs: number = performance.now()): ThrottleRate | undefined {
    if (this.#rate === undefined) return undefined
    const { limit, intervalMs } = this.#rate
    const isFull = this.#attempts.length >= limit
    const oldest = isFull ? (this.#attempts.shift() as number) : Number.NEGATIVE_INFINITY
    this.#attempts.push(nowMs)
    return oldest > nowMs - intervalMs ? this.#rate : undefined
  }
}

function rateOf(setting: ThrottleSetting): ThrottleRate | undefined {
  if (setting === false) return undefined
  const { limit, intervalMs } = typeof setting === 'number' ? { limit: setting, intervalMs: 1000 } : setting
  if (Number.isSafeInteger(limit) && limit > 0 && intervalMs > 0 && intervalMs < Number.POSITIVE_INFINITY) {
    return { limit, intervalMs }
  }
  throw new LocalAuroraError(
    'ERR_LOCAL_AURORA_INVALID_OPTION',
    'throttle: expected logins per second, { limit, intervalMs } with a whole limit of at least 1, or false',
    { option: 'throttle' },
  )
}
