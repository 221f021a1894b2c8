import { RateLimitError } from './errors.ts'
import { FleetPermits } from './fleet/fleet-permits.ts'
import { LocalPermits } from './local/local-permits.ts'
import {
  type CompleteOptions,
  checkNumber,
  completeOptions,
  type RateLimiterOptions,
  refuseUnknownOptions,
} from './options.ts'
import type { Permit } from './permit.ts'
import type { PermitSource } from './permit-source.ts'
import { PermitQueue } from './queue/permit-queue.ts'
import type { RateLimiterStats } from './stats.ts'

/** How one request waits. */
export interface AcquireOptions {
  /** Ends the wait. A permit that was granted before is not taken back: cancel it. */
  signal?: AbortSignal
  /** The longest wait, in milliseconds. @defaultValue the limiter's `maxWaitMs` */
  timeoutMs?: number
}

/** Decides how many new attempts may be made, and when. */
export interface RateLimiter {
  /**
   * Waits for leave to make one attempt; first come, first served. A permit that is free goes to the first in line even
   * when the process was too busy to notice before the wait was over.
   *
   * @throws {@link RateLimitError} `ERR_RATE_LIMIT_TIMEOUT`, `ERR_RATE_LIMIT_STORE_LOST`, `ERR_RATE_LIMIT_QUEUE_FULL`,
   * `ERR_RATE_LIMIT_ABORTED`, `ERR_RATE_LIMIT_CLOSED` or `ERR_RATE_LIMIT_INVALID_OPTION`.
   */
  acquire(options?: AcquireOptions): Promise<Permit>
  /** The most attempts per interval, as configured or lowered; of this process alone with `share`, of all with a store. */
  readonly limit: number
  /** The length of the interval, in milliseconds. */
  readonly intervalMs: number
  /**
   * Makes the limit smaller, at once and for good. A limit that is not smaller changes nothing.
   *
   * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION`.
   */
  lower(limit: number): void
  /** Counts since the limiter was made, and how things stand now. */
  stats(): RateLimiterStats
  /** Rejects all that wait, and every later request, with `ERR_RATE_LIMIT_CLOSED`. Permits that are out stay valid. */
  close(): void
}

/** What all limiters of one key have in common: the permits and the queue for them. */
export interface LimiterCore {
  readonly options: CompleteOptions
  readonly source: PermitSource
  readonly queue: PermitQueue
}

/**
 * Creates a limiter that lets at most `limit` attempts reach a server in any sliding interval of `intervalMs`, and all of
 * them at once when none was made before.
 *
 * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION`.
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const complete = completeOptions(options)
  return new LimiterHandle(createCore(complete, undefined), complete.maxWaitMs)
}

/** @param key - the key of a shared limiter, for events. */
export function createCore(options: CompleteOptions, key: string | undefined): LimiterCore {
  const source =
    options.store === undefined || options.dryRun
      ? new LocalPermits(options, key)
      : new FleetPermits(options, options.store, key)
  return { options, source, queue: new PermitQueue(source, options, key) }
}

/** One user's view of a core: requests wait in the common queue, but are closed together with the handle. */
export class LimiterHandle implements RateLimiter {
  readonly #core: LimiterCore
  readonly #maxWaitMs: number
  readonly #onClose: () => void
  #isClosed = false

  constructor(core: LimiterCore, maxWaitMs: number, onClose: () => void = () => {}) {
    this.#core = core
    this.#maxWaitMs = maxWaitMs
    this.#onClose = onClose
  }

  async acquire(options: AcquireOptions = {}): Promise<Permit> {
    refuseUnknownOptions(options, ['signal', 'timeoutMs'])
    const { signal, timeoutMs = this.#maxWaitMs } = options
    checkNumber('maxWaitMs', timeoutMs, '', 'timeoutMs')
    if (this.#isClosed) throw closed()
    return this.#core.queue.request({ signal, timeoutMs, owner: this })
  }

  get limit(): number {
    return this.#counts().limit
  }

  get intervalMs(): number {
    return this.#core.options.intervalMs
  }

  lower(limit: number): void {
    checkNumber('limit', limit)
    this.#core.source.lower(limit)
  }

  stats(): RateLimiterStats {
    const { limit, dryRunMaxWaitMs, ...permits } = this.#counts()
    const queue = this.#core.queue.counts()
    return {
      limit,
      intervalMs: this.intervalMs,
      ...permits,
      ...queue,
      longestWaitMs: Math.max(queue.longestWaitMs, dryRunMaxWaitMs),
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#core.queue.rejectOf(this, closed)
    this.#onClose()
  }

  #counts() {
    return this.#core.source.counts(this.#core.options.clock.now())
  }
}

function closed(): RateLimitError {
  return new RateLimitError('ERR_RATE_LIMIT_CLOSED', 'The rate limiter is closed: create a new one.')
}
