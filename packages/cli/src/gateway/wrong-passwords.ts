import { setTimeout as sleep } from 'node:timers/promises'

/** So many wrong passwords are answered in a second, by one gateway. */
const ANSWERS_PER_SECOND = 5

/**
 * Limit on guesses. Each wrong password waits for its own moment, so that many at once are answered one after another.
 * A right password never waits.
 */
export class WrongPasswords {
  /** Count of wrong passwords. */
  count = 0
  #nextAt = 0
  readonly #wait: (milliseconds: number) => Promise<unknown>

  constructor(
    wait: (milliseconds: number) => Promise<unknown> = (ms) => sleep(ms, undefined, { ref: false }),
  ) {
    this.#wait = wait
  }

  /** Waits until a wrong password may be answered. The caller keeps the place of its connection meanwhile. */
  async delay(): Promise<void> {
    this.count += 1
    const now = performance.now()
    this.#nextAt = Math.max(this.#nextAt, now) + 1000 / ANSWERS_PER_SECOND
    await this.#wait(this.#nextAt - now)
  }
}
