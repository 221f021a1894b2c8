import type { WarmUpOptions } from '@aurora-iam/core/adapter'
import { AuroraIamError, redact } from '@aurora-iam/core/adapter'

/** Connections of all clients with the adapter of one `auroraIam`, and counts since that call. */
export interface AuroraIamStatus {
  /** Connections that run a query or a transaction. */
  readonly active: number
  /** Connections that are open and unused. */
  readonly idle: number
  /** Connections that are being opened, those that wait for a permit included. */
  readonly opening: number
  /** New connections that wait for a token or for a permit of the rate limit. */
  readonly waitingForPermit: number
  /** Queries and transactions that wait for a connection. */
  readonly queued: number
  /** Connections that have logged in. */
  readonly connectionsOpened: number
  /** Attempts to open a connection that failed, for any reason. */
  readonly connectionsFailed: number
  /** The last failed attempt: code and message of this library, the driver, the network or the server. */
  readonly lastError:
    | { readonly code: string | undefined; readonly message: string; readonly at: Date }
    | undefined
  /** Tokens signed for all users of the same AuroraIam. */
  readonly tokensSigned: number
}

/** Counts of one pool at this moment. */
export interface PoolCounts {
  readonly active: number
  readonly idle: number
  readonly opening: number
  readonly queued: number
}

/** Part of a pool that {@link Activity} uses. */
export interface ObservedPool extends PoolCounts {
  warmUp(count: number, options?: WarmUpOptions): Promise<void>
}

/** Counters of {@link AuroraIamStatus}, and the pools of the clients that are connected. */
export class Activity {
  readonly #pools = new Set<ObservedPool>()
  #waitingForPermit = 0
  #connectionsOpened = 0
  #connectionsFailed = 0
  #lastError: AuroraIamStatus['lastError']

  /** New connections that wait for a token or a permit. */
  get waitingForPermit(): number {
    return this.#waitingForPermit
  }

  /** Counts `login` as waiting until it settles, and as failed if it rejects. */
  async countWaiting<T>(login: Promise<T>): Promise<T> {
    this.#waitingForPermit++
    try {
      return await login
    } catch (error) {
      this.countFailed(error as Error)
      throw error
    } finally {
      this.#waitingForPermit--
    }
  }

  /** Counts a connection that has logged in. */
  countOpened(): void {
    this.#connectionsOpened++
  }

  /** Counts an attempt that failed by `error`. */
  countFailed(error: Error): void {
    this.#connectionsFailed++
    const { code } = error as { code?: string }
    this.#lastError = { code, message: redact(error.message), at: new Date() }
  }

  /** Includes the connections of `pool` in the status, until {@link remove}. */
  add(pool: ObservedPool): void {
    this.#pools.add(pool)
  }

  /** Takes `pool` out of the status. */
  remove(pool: ObservedPool): void {
    this.#pools.delete(pool)
  }

  /**
   * Opens connections in every pool until it has `count`.
   *
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` before a client is connected, or for another count
   */
  async warmUp(count: number, options?: WarmUpOptions): Promise<void> {
    if (this.#pools.size === 0) {
      throw new AuroraIamError(
        'ERR_AURORA_IAM_INVALID_OPTION',
        'warmUp: no client is connected, so there is no pool to fill. Call prisma.$connect() before.',
        { option: 'warmUp' },
      )
    }
    await Promise.all([...this.#pools].map((pool) => pool.warmUp(count, options)))
  }

  /** Returns the status. `tokensSigned` is the count of the AuroraIam. */
  status(tokensSigned: number): AuroraIamStatus {
    const sum = (count: (pool: PoolCounts) => number) =>
      [...this.#pools].reduce((total, pool) => total + count(pool), 0)
    return {
      active: sum((pool) => pool.active),
      idle: sum((pool) => pool.idle),
      opening: sum((pool) => pool.opening),
      waitingForPermit: this.#waitingForPermit,
      queued: sum((pool) => pool.queued),
      connectionsOpened: this.#connectionsOpened,
      connectionsFailed: this.#connectionsFailed,
      lastError: this.#lastError,
      tokensSigned,
    }
  }
}
