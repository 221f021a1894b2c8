import { PROBE_INTERVAL_MS } from '../timings.ts'
import type { CachedToken } from '../token/token-cache.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'

interface Rejection {
  readonly key: string
  readonly token: CachedToken
}

interface Probe {
  /** The rejected token that the probe replaces. */
  readonly token: CachedToken
  readonly startedAt: number
  readonly worked: Promise<boolean>
}

/**
 * Retries logins whose token was rejected although it had been cached for a while. Of many that fail together, one
 * probes a new token. The others follow only if the database accepts it. So a missing permission costs one more login,
 * not twice as many.
 */
export class LoginRetry {
  readonly #rejections = new WeakMap<Error, Rejection>()
  readonly #probes = new Map<string, Probe>()

  /** Records that the database answered `error` to `token`, which an earlier login had left in the cache. */
  recordRejection(error: Error, key: string, token: CachedToken): void {
    this.#rejections.set(error, { key, token })
  }

  /** Returns what `open` resolves with, at the second call if the first is rejected. Rejects with the last error. */
  async retry<T>(open: () => Promise<T>): Promise<T> {
    try {
      return await open()
    } catch (error) {
      const rejection = this.#rejections.get(error as Error)
      if (!rejection) throw error
      this.#deleteOldProbes()
      const probe = this.#probes.get(rejection.key)
      if (!probe) return this.#probe(rejection, open)
      if (probe.token === rejection.token && (await probe.worked)) return open()
      throw error
    }
  }

  #probe<T>({ key, token }: Rejection, open: () => Promise<T>): Promise<T> {
    const startedAt = monotonicMs()
    const opening = open()
    const worked = opening.then(
      () => true,
      () => false,
    )
    this.#probes.set(key, { token, startedAt, worked })
    return opening
  }

  #deleteOldProbes(): void {
    const now = monotonicMs()
    for (const [key, { startedAt }] of this.#probes) {
      if (now - startedAt >= PROBE_INTERVAL_MS) this.#probes.delete(key)
    }
  }
}
