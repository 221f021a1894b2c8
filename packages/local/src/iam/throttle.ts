import { LocalAuroraError } from '../errors.ts'

/** So many logins in any span of so many milliseconds. */
export interface ThrottleRate {
  /** Logins that are let through in one interval; a positive whole number. */
  readonly limit: number
  /** Length of the interval in milliseconds. */
  readonly intervalMs: number
}

/** Logins per second, a rate of another shape, or `false` for as many as come. */
export type ThrottleSetting = number | ThrottleRate | false

/**
 * Limits logins as Aurora limits new IAM connections: in any sliding interval, whatever becomes of them.
 * An attempt that is rejected counts as well, so a client that keeps hammering stays out.
 *
 * It runs on the monotonic clock of the machine, never on a clock that a test moves.
 */
export class Throttle {
  #rate: ThrottleRate | undefined
  #attempts: number[] = []

  /** @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION` */
  constructor(setting: ThrottleSetting) {
    this.set(setting)
  }

  /**
   * Applies another rate from now on; attempts so far no longer count.
   *
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`
   */
  set(setting: ThrottleSetting): void {
    this.#rate = rateOf(setting)
    this.#attempts = []
  }

  /** Counts an attempt. The answer is the rate that it exceeds, or `undefined` if it may go on. */
  attempt(nowMs: number = performance.now()): ThrottleRate | undefined {
    if (this.#rate === undefined) return undefined
    const { limit, intervalMs } = this.#rate
    const oldest = this.#attempts.length < limit ? undefined : this.#attempts.shift()
    this.#attempts.push(nowMs)
    return oldest !== undefined && oldest > nowMs - intervalMs ? this.#rate : undefined
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
