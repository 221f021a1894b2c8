import type { Upstream } from './upstream.ts'

/**
 * Connection to the database that was greeted and whose client left or was rejected. The next client gets it, so that
 * probes of the port and wrong passwords cost the database at most one connection in five seconds.
 */
export class SpareUpstream {
  #upstream: Upstream | undefined
  #timer: NodeJS.Timeout | undefined

  /** Returns the spare connection, if the database still waits for its login. */
  take(): Upstream | undefined {
    const upstream = this.#upstream
    this.#upstream = undefined
    clearTimeout(this.#timer)
    if (upstream === undefined || upstream.isFresh) return upstream
    upstream.discard()
    return undefined
  }

  /** Keeps a connection for the next client, or closes it where there is a spare one. */
  put(upstream: Upstream): void {
    if (this.#upstream !== undefined || !upstream.isFresh) {
      upstream.discard()
    } else {
      this.#upstream = upstream
      this.#timer = setTimeout(() => this.clear(), KEEP_MS).unref()
    }
  }

  /** Closes the spare connection. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#upstream?.discard()
    this.#upstream = undefined
  }
}

const KEEP_MS = 5_000
