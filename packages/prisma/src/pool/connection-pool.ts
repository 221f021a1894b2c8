import { setMaxListeners } from 'node:events'
import { AuroraIamError } from '@aurora-iam/core'
import { Pool as Tarn, TimeoutError } from 'tarn'
import type { Open } from '../connect/open-connection.ts'
import { connectError, type Destination, exhaustedError } from '../errors.ts'
import type { PoolSettings } from '../options/options.ts'
import type { Activity } from '../status.ts'
import { GRACE_MS, PooledConnection } from './pooled-connection.ts'

// Opening a connection is bounded by itself: by the wait for a place and by connectTimeoutMs.
const NO_LIMIT_MS = 2 ** 31 - 1

type Waiter = ReturnType<Tarn<PooledConnection>['acquire']>

/** What a pool needs to know. */
export interface PoolContext {
  readonly open: Open
  /** Where connections go, for messages. */
  readonly destination: Destination
  readonly settings: PoolSettings
  readonly activity: Activity
}

/** The connections of one PrismaClient, for one stay between `$connect` and `$disconnect`. */
export class ConnectionPool {
  readonly #context: PoolContext
  readonly #tarn: Tarn<PooledConnection>
  readonly #open = new Set<PooledConnection>()
  readonly #waiters = new Set<Waiter>()
  readonly #closing = new AbortController()
  #lastLossAt = Number.NEGATIVE_INFINITY
  #ended: Promise<void> | undefined

  constructor(context: PoolContext) {
    this.#context = context
    const { connectionLimit, acquireTimeoutMs, idleTimeoutMs } = context.settings
    // Every connection that is being opened listens, however many there are.
    setMaxListeners(0, this.#closing.signal)
    // tarn waits for a promise here, which its types leave out.
    const validate = (pooled: PooledConnection) => pooled.isAlive(this.#lastLossAt) as unknown as boolean
    this.#tarn = new Tarn({
      create: () => this.#create(),
      validate,
      destroy: (pooled: PooledConnection) => this.#close(pooled),
      min: 0,
      max: connectionLimit,
      acquireTimeoutMillis: acquireTimeoutMs,
      createTimeoutMillis: NO_LIMIT_MS,
      // tarn would tell one of those who wait, though many connections failed in one moment, and make the others new ones.
      propagateCreateError: false,
      createRetryIntervalMillis: 1,
      idleTimeoutMillis: idleTimeoutMs,
      reapIntervalMillis: Math.min(idleTimeoutMs, 10_000),
    })
    context.activity.add(this)
  }

  get active(): number {
    return this.#count((pooled) => pooled.isLent)
  }

  get idle(): number {
    return this.#count((pooled) => !pooled.isLent && pooled.isWell)
  }

  get opening(): number {
    return this.#tarn.numPendingCreates()
  }

  get queued(): number {
    return this.#waiters.size
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /** A connection that is alive. It must be given back by {@link release}. */
  async acquire(): Promise<PooledConnection> {
    if (this.isClosed) throw disconnected()
    const waiter = this.#tarn.acquire()
    this.#waiters.add(waiter)
    try {
      const pooled = await waiter.promise
      pooled.isLent = true
      return pooled
    } catch (error) {
      throw error instanceof TimeoutError ? this.#exhausted() : error
    } finally {
      this.#waiters.delete(waiter)
    }
  }

  async release(pooled: PooledConnection): Promise<void> {
    await pooled.rollBack()
    pooled.isLent = false
    this.#tarn.release(pooled)
  }

  /** A connection was lost: those that were last used before are asked whether they live. */
  connectionLost(): void {
    this.#lastLossAt = performance.now()
  }

  /** Ends every wait at once and every connection when it is given back, in bounded time. */
  end(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end(): Promise<void> {
    this.#closing.abort(disconnected())
    for (const waiter of this.#waiters) waiter.reject(disconnected())
    const drained = this.#tarn.destroy()
    let timer: NodeJS.Timeout | undefined
    const forced = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        for (const pooled of this.#open) pooled.cut()
        resolve()
      }, GRACE_MS)
    })
    await Promise.race([drained, forced])
    clearTimeout(timer)
    this.#context.activity.remove(this)
  }

  async #create(): Promise<PooledConnection> {
    const { open, destination } = this.#context
    try {
      const pooled = new PooledConnection(await open(this.#closing.signal))
      this.#open.add(pooled)
      return pooled
    } catch (error) {
      const failure = connectError(error as Error, destination)
      this.#tellFirst(failure)
      throw failure
    }
  }

  /** Whoever has waited longest hears at once why a connection failed; each failure is for another one. */
  #tellFirst(failure: Error): void {
    const [first] = this.#waiters
    if (!first) return
    this.#waiters.delete(first)
    first.reject(failure)
  }

  async #close(pooled: PooledConnection): Promise<void> {
    await pooled.close()
    this.#open.delete(pooled)
  }

  #count(isCounted: (pooled: PooledConnection) => boolean): number {
    return [...this.#open].filter(isCounted).length
  }

  #exhausted(): Error {
    const { acquireTimeoutMs, connectionLimit } = this.#context.settings
    const { waitingForPermit } = this.#context.activity
    return exhaustedError(
      `No connection within ${acquireTimeoutMs} ms (acquireTimeoutMs): ${this.active} of ${connectionLimit} (connectionLimit) are in use, ` +
        `${this.opening} are being opened; ${waitingForPermit} wait for a place under the connection rate.`,
      { connectionLimit, acquireTimeoutMs },
    )
  }
}

function disconnected(): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_CLOSED',
    'The client was disconnected before it had a connection.',
  )
}
