import { redact } from '@aurora-iam/core'
import type { ConnectionPool } from './pool/connection-pool.ts'

/** What is going on at one moment, and what has happened so far, in all clients of one `auroraIam`. */
export interface AuroraIamStatus {
  /** Connections that run a query or a transaction now. */
  readonly active: number
  /** Connections that are open and unused. */
  readonly idle: number
  /** Connections that are being opened, those that wait for their place among them. */
  readonly opening: number
  /** Connections to be that wait for a token and for their place under the connection rate. */
  readonly waitingForPermit: number
  /** Queries and transactions that wait for a connection. */
  readonly queued: number
  /** Connections that have logged in so far. */
  readonly connectionsOpened: number
  /** Attempts to open a connection that failed so far, for whatever reason. */
  readonly refusals: number
  /** Why the last of those failed: the code and message of this library, the driver, the network or the server. */
  readonly lastError:
    | { readonly code: string | undefined; readonly message: string; readonly at: Date }
    | undefined
  /** Tokens signed so far, by everything that shares the AuroraIam. */
  readonly tokensSigned: number
}

/** The counts behind {@link AuroraIamStatus}. */
export class Activity {
  readonly #pools = new Set<ConnectionPool>()
  #waitingForPermit = 0
  #connectionsOpened = 0
  #refusals = 0
  #lastError: AuroraIamStatus['lastError']

  /** How many connections wait for their place. */
  get waitingForPermit(): number {
    return this.#waitingForPermit
  }

  /** Counts `login` as a wait until it is settled, and as a refusal if it fails. */
  async waiting<T>(login: Promise<T>): Promise<T> {
    this.#waitingForPermit++
    try {
      return await login
    } catch (error) {
      this.failed(error as Error)
      throw error
    } finally {
      this.#waitingForPermit--
    }
  }

  /** A connection logged in. */
  opened(): void {
    this.#connectionsOpened++
  }

  /** A connection did not come about. */
  failed(error: Error): void {
    this.#refusals++
    const { code } = error as { code?: string }
    this.#lastError = { code, message: redact(error.message), at: new Date() }
  }

  /** Counts the connections of `pool`, until it is removed. */
  add(pool: ConnectionPool): void {
    this.#pools.add(pool)
  }

  remove(pool: ConnectionPool): void {
    this.#pools.delete(pool)
  }

  status(tokensSigned: number): AuroraIamStatus {
    const sum = (count: (pool: ConnectionPool) => number) =>
      [...this.#pools].reduce((total, pool) => total + count(pool), 0)
    return {
      active: sum((pool) => pool.active),
      idle: sum((pool) => pool.idle),
      opening: sum((pool) => pool.opening),
      waitingForPermit: this.#waitingForPermit,
      queued: sum((pool) => pool.queued),
      connectionsOpened: this.#connectionsOpened,
      refusals: this.#refusals,
      lastError: this.#lastError,
      tokensSigned,
    }
  }
}
