import { RateLimitError } from './errors.ts'
import type { CompleteOptions, RateLimiterOptions, RateLimitStore } from './limiter-options.ts'
import { LocalPermits } from './local/local-permits.ts'
import {
  checkNumber,
  completeOptions,
  invalidOption,
  ownProperties,
  refuseUnknownOptions,
} from './options.ts'
import type { Permit, PermitLane } from './permit.ts'
import type { PermitSource } from './permit-source.ts'
import { PermitQueue } from './queue/permit-queue.ts'
import type { RateLimiterStats } from './stats.ts'

/** Options of one request. */
export interface AcquireOptions {
  /** Ends the wait. A permit that was granted before is not taken back: cancel it. */
  signal?: AbortSignal
  /** The longest wait, in milliseconds. @defaultValue the limiter's `maxWaitMs` */
  timeoutMs?: number
  /**
   * `'background'` for a connection that no caller waits for. It is granted while no live request waits, and leaves one
   * permit free for the next. @defaultValue 'live'
   */
  lane?: PermitLane
  /**
   * Any object that stands for the pool which the request is for. Requests of one group are granted in order, and
   * groups take turns: a small pool does not wait for all of a large one. @defaultValue the limiter
   */
  group?: object
}

/** Decides how many new attempts may be made, and when. */
export interface RateLimiter {
  /**
   * Waits for permission to make one attempt. Within a group the first request is granted first. A permit that is free
   * goes to the first request even when the process was too busy to notice before its wait was over.
   *
   * @throws {@link RateLimitError} `ERR_RATE_LIMIT_TIMEOUT`, `ERR_RATE_LIMIT_STORE_LOST`, `ERR_RATE_LIMIT_QUEUE_FULL`,
   * `ERR_RATE_LIMIT_ABORTED`, `ERR_RATE_LIMIT_CLOSED` or `ERR_RATE_LIMIT_INVALID_OPTION`.
   */
  acquire(options?: AcquireOptions): Promise<Permit>
  /**
   * Returns a permit if one is free now and no other request waits for it, without a promise; else undefined, also once
   * the limiter is closed. A limiter that is not made here may leave it out.
   *
   * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION`.
   */
  tryAcquire?(options?: Pick<AcquireOptions, 'lane'>): Permit | undefined
  /**
   * The most attempts per interval, as configured or lowered; of this process alone with `share`, of all with a store.
   */
  readonly limit: number
  /** The length of the interval, in milliseconds. */
  readonly intervalMs: number
  /**
   * Lowers the limit, at once and permanently. A limit that is not smaller changes nothing.
   *
   * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION`.
   */
  lower(limit: number): void
  /** Returns counts since the limiter was made, and the state of its permits now. */
  stats(): RateLimiterStats
  /**
   * Resolves when the store has received every outcome that was reported so far, or is lost; at once without a store.
   * Await it at the end of a Lambda handler: a process that is frozen with an outcome unsent keeps others waiting.
   */
  flush(): Promise<void>
  /** Rejects all waiting requests, and every later one, with `ERR_RATE_LIMIT_CLOSED`. Permits in flight stay valid. */
  close(): void
}

/** Permits and queue, which all limiters of one key share. */
export interface LimiterCore {
  readonly options: CompleteOptions
  readonly source: PermitSource
  readonly queue: PermitQueue
}

/**
 * Creates a limiter that lets at most `limit` attempts reach a server in any sliding interval of `intervalMs`, and all
 * of them at once when none was made before.
 *
 * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION`.
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const complete = completeOptions(options)
  const core = createCore(complete, undefined)
  return new LimiterHandle(core, complete.maxWaitMs, () => core.source.rest())
}

/** @param key - the key of a shared limiter, for events. */
export function createCore(options: CompleteOptions, key: string | undefined): LimiterCore {
  const source = createSource(options, key)
  return { options, source, queue: new PermitQueue(source, options, key) }
}

/** Store, with the types that users do not see. */
interface PermitStore extends RateLimitStore {
  createPermits(options: CompleteOptions, key: string | undefined): PermitSource
}

function createSource(options: CompleteOptions, key: string | undefined): PermitSource {
  const { store, dryRun } = options
  if (store === undefined || dryRun) return new LocalPermits(options, key)
  return (store as PermitStore).createPermits(options, key)
}

const acquireOptionNames = ['signal', 'timeoutMs', 'lane', 'group'] satisfies (keyof AcquireOptions)[]
const tryOptionNames = ['lane'] satisfies (keyof AcquireOptions)[]
/** Without a prototype, as what `ownProperties` returns. */
const noOptions: AcquireOptions = Object.freeze(Object.create(null))

/** One user's view of a core: requests wait in the common queue, but are closed together with the handle. */
export class LimiterHandle implements RateLimiter {
  readonly #core: LimiterCore
  readonly #maxWaitMs: number
  readonly #onClose: () => void
  #isClosed = false

  constructor(core: LimiterCore, maxWaitMs: number, onClose: () => void) {
    this.#core = core
    this.#maxWaitMs = maxWaitMs
    this.#onClose = onClose
  }

  async acquire(options: AcquireOptions = noOptions): Promise<Permit> {
    const {
      signal,
      timeoutMs = this.#maxWaitMs,
      lane = 'live',
      group = this,
    } = checkedOptions(options, acquireOptionNames)
    if (options !== noOptions) checkNumber('maxWaitMs', timeoutMs, '', 'timeoutMs')
    checkLane(lane)
    if (typeof group !== 'object' || group === null) throw invalidOption('group', group, 'an object')
    if (this.#isClosed) throw closed()
    return this.#core.queue.request({ signal, timeoutMs, lane, group, owner: this })
  }

  tryAcquire(options: Pick<AcquireOptions, 'lane'> = noOptions): Permit | undefined {
    const { lane = 'live' } = checkedOptions(options, tryOptionNames)
    checkLane(lane)
    return this.#isClosed ? undefined : this.#core.queue.takeFree(lane)
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

  flush(): Promise<void> {
    return this.#core.source.flush()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#core.queue.rejectOf(this, closed())
    this.#onClose()
  }

  #counts() {
    return this.#core.source.counts(this.#core.options.clock.now())
  }
}

/** Returns the own properties of `options`, whose names are checked. */
function checkedOptions(options: AcquireOptions, names: readonly string[]): AcquireOptions {
  if (options === noOptions) return options
  refuseUnknownOptions(options, names)
  return ownProperties(options)
}

function checkLane(lane: unknown): void {
  if (lane !== 'live' && lane !== 'background') throw invalidOption('lane', lane, "'live' or 'background'")
}

function closed(): RateLimitError {
  return new RateLimitError('ERR_RATE_LIMIT_CLOSED', 'The rate limiter is closed: create a new one.')
}
