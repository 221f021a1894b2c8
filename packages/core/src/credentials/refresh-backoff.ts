import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { tokenKey } from '../endpoint/target-key.ts'
import { BACKOFF_MEMORY_MS, FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS } from '../timings.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'

interface Pause {
  readonly endsAt: number
  /** Length of the next pause. */
  nextMs: number
}

/**
 * Backoff of forced refreshes after the database rejected a token of one user of one endpoint: the first refresh is at
 * once, as a key may have been rotated. The pauses then double while no login is accepted, as the user may lack a
 * permission. Rejections of other users change nothing.
 */
export class RefreshBackoff {
  /** In the order in which they began. */
  readonly #pauses = new Map<string, Pause>()

  /** Starts a pause of the user of `target` and returns true, unless one runs. The caller may refresh then. */
  tryStart(target: ConnectionTarget): boolean {
    const key = tokenKey(target)
    const now = monotonicMs()
    for (const [other, { endsAt }] of this.#pauses) {
      if (now < endsAt + BACKOFF_MEMORY_MS) break
      this.#pauses.delete(other)
    }
    const former = this.#pauses.get(key)
    if (former && now < former.endsAt) return false
    const lengthMs = former?.nextMs ?? FIRST_BACKOFF_MS
    this.#pauses.delete(key)
    this.#pauses.set(key, { endsAt: now + lengthMs, nextMs: Math.min(2 * lengthMs, LONGEST_BACKOFF_MS) })
    return true
  }

  /** Makes the next pause of the user of `target` a short one: a login was accepted. */
  reset(target: ConnectionTarget): void {
    const pause = this.#pauses.get(tokenKey(target))
    if (pause) pause.nextMs = FIRST_BACKOFF_MS
  }
}
