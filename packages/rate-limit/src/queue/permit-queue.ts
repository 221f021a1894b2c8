import { RateLimitError } from '../errors.ts'
import { publish } from '../events.ts'
import type { CompleteOptions } from '../options.ts'
import type { Permit } from '../permit.ts'
import type { PermitSource } from '../permit-source.ts'
import { AbortListeners } from './abort-listeners.ts'
import { DeadlineHeap } from './deadline-heap.ts'
import { LinkedList, type ListNode } from './linked-list.ts'

/** One request, as the queue takes it. */
export interface PermitRequest {
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number
  /** Whose request it is; `rejectOf` ends all requests of one owner. */
  readonly owner: object
}

interface Waiter extends PermitRequest {
  readonly requestedAt: number
  readonly deadline: number
  /** How many waited before it when it joined. */
  readonly ahead: number
  readonly resolve: (permit: Permit) => void
  readonly reject: (error: RateLimitError) => void
  place: ListNode<Waiter> | undefined
  heapIndex: number
}

/** What the queue counts; described at `RateLimiterStats`. */
export interface QueueCounts {
  waiting: number
  longestWaitMs: number
  timedOut: number
  aborted: number
  refusedQueueFull: number
}

/**
 * Requests in strict order of arrival, whatever the source of the permits is. One timer serves all of them, and only while
 * somebody waits: it keeps the process alive, because a connection is wanted.
 */
export class PermitQueue {
  readonly #source: PermitSource
  readonly #options: CompleteOptions
  readonly #key: string | undefined
  readonly #waiting = new LinkedList<Waiter>()
  readonly #deadlines = new DeadlineHeap<Waiter>()
  readonly #aborts = new AbortListeners<Waiter>((waiter, signal) => this.#abort(waiter, signal))
  readonly #counts = { longestWaitMs: 0, timedOut: 0, aborted: 0, refusedQueueFull: 0 }
  #timer: { at: number; cancel: () => void } | undefined

  /** @param key - the key of a shared limiter, for events. */
  constructor(source: PermitSource, options: CompleteOptions, key: string | undefined) {
    this.#source = source
    this.#options = options
    this.#key = key
    source.bind(() => this.#serve())
  }

  counts(): QueueCounts {
    return { ...this.#counts, waiting: this.#waiting.length }
  }

  async request(request: PermitRequest): Promise<Permit> {
    if (request.signal?.aborted) throw this.#aborted(request.signal)
    this.#serve()
    const now = this.#options.clock.now()
    if (this.#waiting.length === 0) {
      const permit = this.#source.take(now, now)
      if (typeof permit !== 'number') return this.#granted(permit)
    }
    if (this.#waiting.length >= this.#options.maxQueue) throw this.#full(now)
    return new Promise((resolve, reject) => this.#join(request, now, resolve, reject))
  }

  /** Ends every waiting request of one owner. */
  rejectOf(owner: object, error: () => RateLimitError): void {
    for (const waiter of this.#waiting) {
      if (waiter.owner !== owner) continue
      this.#leave(waiter)
      waiter.reject(error())
    }
    this.#serve()
  }

  #join(request: PermitRequest, now: number, resolve: Waiter['resolve'], reject: Waiter['reject']): void {
    const waiter: Waiter = {
      ...request,
      requestedAt: now,
      deadline: now + request.timeoutMs,
      ahead: this.#waiting.length,
      resolve,
      reject,
      place: undefined,
      heapIndex: -1,
    }
    waiter.place = this.#waiting.push(waiter)
    this.#deadlines.add(waiter)
    if (waiter.signal !== undefined) this.#aborts.add(waiter.signal, waiter)
    this.#serve()
    publish('aurora-iam:rate-limit:waiting', () => ({ key: this.#key, waiting: this.#waiting.length }))
  }

  #leave(waiter: Waiter): void {
    this.#waiting.remove(waiter.place as ListNode<Waiter>)
    this.#deadlines.remove(waiter)
    if (waiter.signal !== undefined) this.#aborts.delete(waiter.signal, waiter)
  }

  /** Grants what can be granted, then ends the waits that are over, then sees to the timer. */
  #serve(): void {
    const now = this.#options.clock.now()
    let wakeAt = Number.POSITIVE_INFINITY
    for (let next = this.#waiting.first; next !== undefined; next = this.#waiting.first) {
      const permit = this.#source.take(now, next.requestedAt)
      if (typeof permit === 'number') {
        wakeAt = permit
        break
      }
      this.#leave(next)
      next.resolve(this.#granted(permit))
    }
    for (
      let late = this.#deadlines.first;
      late !== undefined && late.deadline <= now;
      late = this.#deadlines.first
    ) {
      this.#leave(late)
      this.#counts.timedOut += 1
      late.reject(this.#timedOut(late, now))
    }
    this.#source.demand(this.#waiting.length)
    this.#setTimer(now, Math.min(wakeAt, this.#deadlines.first?.deadline ?? Number.POSITIVE_INFINITY))
  }

  #setTimer(now: number, at: number): void {
    const isNeeded = this.#waiting.length > 0
    if (isNeeded && this.#timer !== undefined && this.#timer.at <= at) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (!isNeeded) return
    const cancel = this.#options.clock.setTimer(
      () => {
        this.#timer = undefined
        this.#serve()
      },
      Math.max(1, Math.ceil(at - now)),
    )
    this.#timer = { at, cancel }
  }

  #granted(permit: Permit): Permit {
    this.#counts.longestWaitMs = Math.max(this.#counts.longestWaitMs, permit.waitedMs)
    publish('aurora-iam:rate-limit:granted', () => ({
      key: this.#key,
      waitedMs: permit.waitedMs,
      waiting: this.#waiting.length,
    }))
    return permit
  }

  #abort(waiter: Waiter, signal: AbortSignal): void {
    this.#leave(waiter)
    waiter.reject(this.#aborted(signal))
    this.#serve()
  }

  #aborted(signal: AbortSignal): RateLimitError {
    this.#counts.aborted += 1
    return new RateLimitError('ERR_RATE_LIMIT_ABORTED', 'The wait for a permit was aborted by its signal.', {
      cause: signal.reason,
    })
  }

  #full(now: number): RateLimitError {
    this.#counts.refusedQueueFull += 1
    const retryAfterMs = this.#estimateWaitMs(now)
    return new RateLimitError(
      'ERR_RATE_LIMIT_QUEUE_FULL',
      `The queue for permits is full (\`maxQueue\` is ${this.#options.maxQueue}); this request would have waited about ${retryAfterMs} ms. Open fewer connections at once or raise \`maxQueue\`.`,
      { retryAfterMs },
    )
  }

  #timedOut(waiter: Waiter, now: number): RateLimitError {
    const { trouble: cause } = this.#source
    if (cause !== undefined) {
      return new RateLimitError(
        'ERR_RATE_LIMIT_STORE_LOST',
        `No permit came within ${waiter.timeoutMs} ms, and the store that the limit is shared through cannot be reached: ${cause.message} Bring it back, or see \`onStoreLost\`.`,
        { cause, retryAfterMs: this.#estimateWaitMs(now) },
      )
    }
    const { limit, effectiveLimit } = this.#source.counts(now)
    const slowed = effectiveLimit < limit ? `, ${effectiveLimit} for now because the server throttles` : ''
    return new RateLimitError(
      'ERR_RATE_LIMIT_TIMEOUT',
      `No permit came within ${waiter.timeoutMs} ms. Ahead when the request was made: ${waiter.ahead}; waiting now: ${this.#waiting.length}; limit: ${limit} per ${this.#options.intervalMs} ms${slowed}. Open fewer connections at once or wait longer (\`maxWaitMs\`, \`timeoutMs\`).`,
      { retryAfterMs: this.#estimateWaitMs(now) },
    )
  }

  #estimateWaitMs(now: number): number {
    return Math.ceil(this.#source.estimateWaitMs(now, this.#waiting.length))
  }
}
