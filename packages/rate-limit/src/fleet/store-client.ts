import type { RateLimitClock } from '../clock.ts'
import type { RateLimitStore } from '../store.ts'
import { type FleetAnswer, readFleetAnswer } from './store-reply.ts'

/** A question that is older counts as lost, and makes room for another. The first may have to wait for the connection. */
const forgottenAfterMs = 2000

/**
 * Asks the store, each time in bounded time. An answer that comes too late is dropped: the next one tells all that the process
 * holds, so nothing is missed.
 */
export class StoreClient {
  readonly #store: RateLimitStore
  readonly #key: string
  readonly #clock: RateLimitClock
  readonly #timeoutMs: number
  readonly #onFree: () => void
  #hasAnswered = false
  #openSince: number | undefined

  /** @param onFree - is called when a question has been answered or has failed, however late. */
  constructor(
    store: RateLimitStore,
    key: string,
    clock: RateLimitClock,
    timeoutMs: number,
    onFree: () => void,
  ) {
    this.#store = store
    this.#key = key
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#onFree = onFree
  }

  /** From when on another question makes sense: a client that is cut off keeps a line of them until it is back. */
  get freeAt(): number {
    return this.#openSince === undefined ? Number.NEGATIVE_INFINITY : this.#openSince + forgottenAfterMs
  }

  /** Whether a question is under way or was never answered: had the store come back, it would have been. */
  get isOpen(): boolean {
    return this.#openSince !== undefined
  }

  /** Rejects with what went wrong at the client, with the answer, or with the time. */
  ask(request: object): Promise<FleetAnswer> {
    const since = this.#clock.now()
    this.#openSince = since
    const timeoutMs = this.#hasAnswered ? this.#timeoutMs : forgottenAfterMs
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`The store did not answer within ${timeoutMs} ms.`))
      let cancel = this.#clock.setTimer(
        // A process that was stopped finds its timer due before it has read the answer: it reads first.
        () => {
          cancel = this.#clock.setTimer(late, 20, true)
        },
        timeoutMs,
        true,
      )
      this.#step(request)
        .then(readFleetAnswer)
        .then((answer) => {
          this.#hasAnswered = true
          resolve(answer)
        }, reject)
        .finally(() => {
          cancel()
          if (this.#openSince === since) this.#openSince = undefined
          this.#onFree()
        })
    })
  }

  async #step(request: object): Promise<unknown> {
    try {
      return await this.#store.step(this.#key, JSON.stringify(request))
    } catch (error) {
      throw error instanceof Error
        ? error
        : new Error(`The store failed with ${String(error)}.`, { cause: error })
    }
  }
}
