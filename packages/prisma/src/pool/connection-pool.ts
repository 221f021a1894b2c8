import { setMaxListeners } from 'node:events'
import {
  AuroraIamError,
  monotonicMs,
  openTogether,
  type PoolDriver,
  type PoolLifetime,
  type WarmUpOptions,
} from '@aurora-iam/core/adapter'
import { Pool as Tarn } from 'tarn'
import type { Open } from '../connect/open-connection.ts'
import { exhaustedError } from '../errors.ts'
import type { PoolSettings } from '../options/options.ts'
import type { Activity } from '../status.ts'
import { AcquireQueue } from './acquire-queue.ts'
import { GRACE_MS, PooledConnection } from './pooled-connection.ts'

// tarn's time limits are switched off: this pool and `open` have their own.
const NO_LIMIT_MS = 2 ** 31 - 1

/** Dependencies of a pool. */
export interface PoolContext {
  readonly open: Open
  /** Returns the lifetime of the connections, which decides when they are replaced; undefined with a password. */
  readonly lifetimeOf: (driver: PoolDriver<PooledConnection>) => PoolLifetime<PooledConnection> | undefined
  readonly settings: PoolSettings
  readonly activity: Activity
}

/** Connections of one PrismaClient, from `$connect` to `$disconnect`. */
export class ConnectionPool {
  readonly #context: PoolContext
  readonly #tarn: Tarn<PooledConnection>
  readonly #open = new Set<PooledConnection>()
  readonly #queue: AcquireQueue<PooledConnection>
  readonly #closing = new AbortController()
  readonly #lifetime: PoolLifetime<PooledConnection> | undefined
  #lastLossAt = Number.NEGATIVE_INFINITY
  /** Error of the last connection, if that could not be opened. */
  #lastFailure: Error | undefined
  #ended: Promise<void> | undefined

  constructor(context: PoolContext) {
    this.#context = context
    const { connectionLimit, acquireTimeoutMs, isAcquireTimeoutStrict, idleTimeoutMs } = context.settings
    this.#queue = new AcquireQueue({
      timeoutMs: acquireTimeoutMs,
      isExtended: (position) => !isAcquireTimeoutStrict && this.#isBeingServed(position),
      timeoutError: () => this.#exhausted(),
    })
    // Each connection that is being opened adds a listener, and their number has no limit.
    setMaxListeners(0, this.#closing.signal)
    this.#lifetime = context.lifetimeOf({
      remoteAddress: (pooled) => pooled.remoteAddress(),
      // tarn has no method that removes an idle connection. It removes this one when it validates it.
      close: (pooled) => void this.#close(pooled),
    })
    // tarn also takes a promise here, which its types omit.
    const validate = (pooled: PooledConnection) => this.#validate(pooled) as unknown as boolean
    this.#tarn = new Tarn({
      create: () => this.#create(),
      validate,
      destroy: (pooled: PooledConnection) => this.#close(pooled),
      min: 0,
      max: connectionLimit,
      acquireTimeoutMillis: NO_LIMIT_MS,
      createTimeoutMillis: NO_LIMIT_MS,
      // tarn would reject one waiter when many connections fail at once, and open new ones for the others.
      propagateCreateError: false,
      createRetryIntervalMillis: 1,
      idleTimeoutMillis: idleTimeoutMs,
      reapIntervalMillis: Math.min(idleTimeoutMs, 10_000),
    })
    context.activity.add(this)
  }

  get active(): number {
    return this.#count((pooled) => pooled.isBorrowed)
  }

  get idle(): number {
    return this.#count((pooled) => !pooled.isBorrowed && pooled.isUsable)
  }

  get opening(): number {
    return this.#tarn.numPendingCreates()
  }

  get queued(): number {
    return this.#queue.size
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /**
   * Checks out a usable connection. The caller returns it by {@link release}.
   *
   * @throws the error of a connection that could not be opened; P2024 when no connection is free in time
   */
  async acquire(): Promise<PooledConnection> {
    if (this.isClosed) throw disconnected()
    const pooled = await this.#queue.wait(this.#tarn.acquire())
    pooled.isBorrowed = true
    return pooled
  }

  /** Returns a connection to the pool, after a rollback of an open transaction. */
  async release(pooled: PooledConnection): Promise<void> {
    await pooled.rollBack()
    pooled.isBorrowed = false
    // This closes a retired connection, so that tarn does not hand it to the next query.
    this.#lifetime?.released(pooled)
    this.#tarn.release(pooled)
  }

  /** Reports an error of a statement. After the error of a demoted server, its connections are replaced. */
  statementFailed(pooled: PooledConnection, error: unknown): void {
    this.#lifetime?.failed(pooled, error)
  }

  /**
   * Opens connections before they are needed, behind those that a query needs.
   *
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for a count that the pool cannot hold
   * @throws the first error of a connection
   */
  warmUp(count: number, options?: WarmUpOptions): Promise<void> {
    const size = this.#context.settings.connectionLimit
    const pool = {
      acquire: () => this.acquire(),
      release: (pooled: PooledConnection) => this.release(pooled),
      size,
    }
    return openTogether(pool, count, options)
  }

  /** Records that a connection was lost. Connections that were last used before it are validated with a ping. */
  connectionLost(): void {
    this.#lastLossAt = monotonicMs()
  }

  /** Ends every wait at once, and every connection when it is returned, at the latest after {@link GRACE_MS}. */
  end(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end(): Promise<void> {
    this.#closing.abort(disconnected())
    this.#queue.rejectAll(disconnected())
    const drained = this.#tarn.destroy()
    let timer: NodeJS.Timeout | undefined
    const forced = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        for (const pooled of this.#open) pooled.destroy()
        resolve()
      }, GRACE_MS)
    })
    await Promise.race([drained, forced])
    clearTimeout(timer)
    this.#lifetime?.dispose()
    this.#context.activity.remove(this)
  }

  async #create(): Promise<PooledConnection> {
    try {
      const pooled = new PooledConnection(await this.#context.open(this.#closing.signal))
      this.#open.add(pooled)
      this.#lastFailure = undefined
      this.#lifetime?.opened(pooled)
      this.#lifetime?.released(pooled)
      pooled.connection.on('end', () => {
        this.#lifetime?.broke(pooled, pooled.networkError())
        this.#lifetime?.closed(pooled)
      })
      return pooled
    } catch (error) {
      this.#lastFailure = error as Error
      // Each failed connection rejects one query.
      this.#queue.rejectFirst(error as Error)
      throw error
    }
  }

  async #validate(pooled: PooledConnection): Promise<boolean> {
    // From here on it counts as in use, so that it is not closed between the ping and the query.
    this.#lifetime?.acquired(pooled)
    return pooled.validate(this.#lastLossAt)
  }

  async #close(pooled: PooledConnection): Promise<void> {
    this.#lifetime?.closed(pooled)
    await pooled.close()
    this.#open.delete(pooled)
  }

  /** Returns true if a connection is being opened for the query at `position`, or if one waits for a permit. */
  #isBeingServed(position: number): boolean {
    return position < this.opening || this.#context.activity.waitingForPermit > 0
  }

  #count(isCounted: (pooled: PooledConnection) => boolean): number {
    return [...this.#open].filter(isCounted).length
  }

  #exhausted(): Error {
    const { acquireTimeoutMs, connectionLimit } = this.#context.settings
    const { waitingForPermit } = this.#context.activity
    return exhaustedError(
      `No connection within ${acquireTimeoutMs} ms (acquireTimeoutMs): ${this.active} of ${connectionLimit} (connectionLimit) are in use, ` +
        `${this.opening} are being opened, ${waitingForPermit} of these wait for a permit of the rate limit.`,
      { connectionLimit, acquireTimeoutMs },
      this.#lastFailure,
    )
  }
}

function disconnected(): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_CLOSED',
    'The client was disconnected before it had a connection.',
  )
}
