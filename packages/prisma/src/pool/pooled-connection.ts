import { monotonicMs } from '@aurora-iam/core/adapter'
import type { Connection } from 'mariadb'
import { ping } from '../connect/mariadb-internals.ts'
import type { OpenConnection } from '../connect/open-connection.ts'

/** Longest time for a rollback, and for the end of a pool, in milliseconds. */
export const GRACE_MS = 5_000
/** Time after its last use for which a connection counts as usable without a ping, in milliseconds. */
const TRUSTED_FOR_MS = 500
const PING_TIMEOUT_MS = 1_000
/** Longest time for COM_QUIT to reach the server, in milliseconds. */
const QUIT_TIMEOUT_MS = 1_000

/** One connection of the pool, from its login to its end. */
export class PooledConnection {
  readonly connection: Connection
  readonly remoteAddress: OpenConnection['remoteAddress']
  readonly networkError: OpenConnection['networkError']
  readonly #destroy: OpenConnection['destroy']
  #lastUsedAt = monotonicMs()
  #isBroken = false
  /** True if a query or a transaction has it. */
  isBorrowed = false

  constructor({ connection, destroy, remoteAddress, networkError }: OpenConnection) {
    this.connection = connection
    this.remoteAddress = remoteAddress
    this.networkError = networkError
    this.#destroy = destroy
  }

  /** Marks the connection as unusable, so that the pool does not hand it out again. */
  markBroken(): void {
    this.#isBroken = true
  }

  /** True if no fault of the connection is known. */
  get isUsable(): boolean {
    return !this.#isBroken && this.connection.isValid()
  }

  /**
   * Returns true if the pool can hand out the connection. It pings one that was idle, or that was last used before
   * another one was lost: a failover ends all connections, and not every socket is notified.
   */
  async validate(lastLossAt: number): Promise<boolean> {
    if (!this.isUsable) return false
    const isFresh = monotonicMs() - this.#lastUsedAt < TRUSTED_FOR_MS && this.#lastUsedAt > lastLossAt
    if (isFresh) return true
    return ping(this.connection, PING_TIMEOUT_MS).then(
      () => true,
      () => false,
    )
  }

  /**
   * Rolls back an open transaction. Without one it sends nothing. If the server does not answer within
   * {@link GRACE_MS}, the connection is destroyed, and the server rolls back.
   *
   * @returns false if the connection is no longer usable
   */
  async rollBack(): Promise<boolean> {
    const timer = setTimeout(() => this.destroy(), GRACE_MS)
    await this.connection.rollback().catch(() => this.destroy())
    clearTimeout(timer)
    this.#lastUsedAt = monotonicMs()
    return this.isUsable
  }

  /** Sends COM_QUIT and closes the connection. */
  async close(): Promise<void> {
    this.markBroken()
    const timer = setTimeout(() => this.destroy(), QUIT_TIMEOUT_MS)
    await this.connection.end().catch(() => {})
    clearTimeout(timer)
    this.destroy()
  }

  /** Closes the connection at once. A query that runs on it rejects. */
  destroy(): void {
    this.markBroken()
    this.#destroy()
  }
}
