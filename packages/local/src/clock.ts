import { LocalAuroraError } from './errors.ts'

/** Returns epoch milliseconds. */
export type Clock = () => number

/** Clock that a test can set. */
export class MovableClock {
  #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Returns epoch milliseconds. */
  now(): number {
    return this.#clock()
  }

  /**
   * Sets the clock: to a function, or to a moment at which it then stands still.
   *
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`
   */
  set(clock: Clock | Date | number): void {
    if (typeof clock === 'function') {
      this.#clock = clock
      return
    }
    const moment = Number(clock)
    if (!Number.isFinite(moment)) {
      const message = 'clock: expected a function, a valid Date or epoch milliseconds'
      throw new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', message, { option: 'clock' })
    }
    this.#clock = () => moment
  }
}
