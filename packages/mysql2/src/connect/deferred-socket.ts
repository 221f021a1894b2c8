import { Socket } from 'node:net'
import { GreetingGuard } from '@aurora-iam/core/adapter'

/** The socket of a connection that waits for its place: mysql2 may give it up before it is connected. */
export class DeferredSocket extends Socket {
  readonly #guard = new GreetingGuard()

  /**
   * mysql2's `destroy()` only ends its stream. Node puts that off until the socket is connected, so whoever gave up
   * would go on waiting for a place, and then log in.
   */
  override _final(callback: (error?: Error | null) => void): void {
    if (this.pending) this.destroy()
    else super._final(callback)
  }

  /** Takes what arrives in clear; what TLS carries does not come by here. */
  override push(chunk: Buffer | null): boolean {
    const refusal = chunk === null ? undefined : this.#guard.check(chunk)
    if (!refusal) return super.push(chunk)
    this.destroy(refusal)
    return false
  }
}
