import { PROBE_INTERVAL_MS } from '../timings.ts'
import type { CachedToken } from '../token/token-cache.ts'

interface Refusal {
  readonly key: string
  readonly token: CachedToken
}

interface Trial {
  /** The refused token that the trial replaces. */
  readonly token: CachedToken
  readonly startedAt: number
  readonly worked: Promise<boolean>
}

/**
 * Repeats logins whose token was refused although it had been at hand for a while. However many fail together, one
 * of them tries a new token; the others follow only if the database took it. So a missing permission costs one
 * login more, not twice as many.
 */
export class LoginRetry {
  readonly #refusals = new WeakMap<Error, Refusal>()
  readonly #trials = new Map<string, Trial>()

  /** `error` is what the database answered to `token`, which an earlier login had left in the cache. */
  note(error: Error, key: string, token: CachedToken): void {
    this.#refusals.set(error, { key, token })
  }

  /** What `open` resolves with, the second time if need be. Rejects with the error of the last time. */
  async retry<T>(open: () => Promise<T>): Promise<T> {
    try {
      return await open()
    } catch (error) {
      const refusal = this.#refusals.get(error as Error)
      if (!refusal) throw error
      const trial = this.#trials.get(refusal.key)
      if (!trial || performance.now() - trial.startedAt >= PROBE_INTERVAL_MS) return this.#try(refusal, open)
      if (trial.token === refusal.token && (await trial.worked)) return open()
      throw error
    }
  }

  #try<T>({ key, token }: Refusal, open: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    for (const [other, trial] of this.#trials) {
      if (startedAt - trial.startedAt >= PROBE_INTERVAL_MS) this.#trials.delete(other)
    }
    const opening = open()
    const worked = opening.then(
      () => true,
      () => false,
    )
    this.#trials.set(key, { token, startedAt, worked })
    return opening
  }
}
