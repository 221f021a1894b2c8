import { setTimeout as sleep } from 'node:timers/promises'

/** Answers to wrong passwords that one gateway sends in a second. */
const ANSWERS_PER_SECOND = 5

/**
 * Limit on guesses. Wrong passwords are answered one after another, also those that come at once.
 * A right password never waits.
 */
export class WrongPasswords {
  #nextAt = 0

  /**
   * Waits until a wrong password may be answered, or until `signal` aborts. The caller keeps its connection open
   * meanwhile, so `--max-connections` bounds how many wait.
   */
  async delay(signal: AbortSignal): Promise<void> {
    const now = performance.now()
    this.#nextAt = Math.max(this.#nextAt, now) + 1000 / ANSWERS_PER_SECOND
    await sleep(this.#nextAt - now, undefined, { ref: false, signal }).catch(() => {})
  }
}
