import type { Connection } from 'mariadb'
import type { OpenConnection } from '../connect/open-connection.ts'

/** How long a connection may go on that nobody wants any more, in milliseconds. */
export const GRACE_MS = 5_000
// A connection that was used this recently is taken to be alive.
const TRUSTED_FOR_MS = 500
const PING_TIMEOUT_MS = 1_000
// How long the server is given to take note of a farewell.
const FAREWELL_MS = 1_000

/** One connection of the pool, for as long as it lives. */
export class PooledConnection {
  readonly connection: Connection
  readonly #cut: OpenConnection['cut']
  #lastUsedAt = performance.now()
  #isBroken = false
  /** Whether somebody has it. */
  isLent = false

  constructor({ connection, cut }: OpenConnection) {
    this.connection = connection
    this.#cut = cut
    connection.on('error', () => this.markBroken())
    connection.on('end', () => this.markBroken())
  }

  /** It is not handed out again. */
  markBroken(): void {
    this.#isBroken = true
  }

  /** Whether nothing is known to be wrong with it. */
  get isWell(): boolean {
    return !this.#isBroken && this.connection.isValid()
  }

  /**
   * Whether it can be handed out. Asks the server if it lay idle, or if another connection was lost since it was
   * last used: a failover takes them all, and not every socket hears of it.
   */
  async isAlive(lastLossAt: number): Promise<boolean> {
    if (!this.isWell) return false
    const isFresh = performance.now() - this.#lastUsedAt < TRUSTED_FOR_MS && this.#lastUsedAt > lastLossAt
    if (isFresh) return true
    // mariadb takes a time-out here, and closes the connection when it is reached; its types leave it out.
    const connection = this.connection as { ping(timeoutMs: number): Promise<void> }
    return connection.ping(PING_TIMEOUT_MS).then(
      () => true,
      () => false,
    )
  }

  /**
   * Undoes what a user of the connection left open; costs nothing if that is nothing. A server that has not done so
   * after {@link GRACE_MS} is at work on a query or out of reach: the connection ends, and with it what was open.
   *
   * @returns whether the connection lives
   */
  async rollBack(): Promise<boolean> {
    const timer = setTimeout(() => this.cut(), GRACE_MS)
    await this.connection.rollback().catch(() => this.cut())
    clearTimeout(timer)
    this.#lastUsedAt = performance.now()
    return this.isWell
  }

  /** Says goodbye and closes. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.cut(), FAREWELL_MS)
    await this.connection.end().catch(() => {})
    clearTimeout(timer)
    this.cut()
  }

  /** Closes at once; a query that runs on it rejects. */
  cut(): void {
    this.markBroken()
    this.#cut()
  }
}
