import type { RateLimitError } from '../errors.ts'
import { publish } from '../events.ts'
import type { CompleteOptions } from '../limiter-options.ts'
import type { Permit, PermitLane } from '../permit.ts'
import type { PermitSource } from '../permit-source.ts'
import { AbortListeners } from './abort-listeners.ts'
import { DeadlineHeap } from './deadline-heap.ts'
import type { ListNode } from './linked-list.ts'
import { abortedError, fullError, type QueueState, timeoutError } from './queue-errors.ts'
import { Slices } from './slices.ts'
import { type TurnMember, Turns } from './turns.ts'

/** One request, as the queue receives it. */
export interface PermitRequest {
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number
  readonly lane: PermitLane
  /** Requests of one group are granted in order; groups take turns. */
  readonly group: object
  /** The limiter that the request was made through; `rejectOf` ends all requests of one owner. */
  readonly owner: object
}

interface Waiter extends TurnMember {
  readonly request: PermitRequest
  readonly requestedAt: number
  readonly deadline: number
  /** Number of requests that waited when it joined. */
  readonly ahead: number
  readonly resolve: (permit: Permit) => void
  readonly reject: (error: RateLimitError) => void
  position: ListNode<TurnMember> | undefined
  heapIndex: number
}

/** Counts of the queue; described at `RateLimiterStats`. */
export interface QueueCounts {
  waiting: number
  longestWaitMs: number
  timedOut: number
  aborted: number
  refusedQueueFull: number
}

/**
 * Queue of the requests for permits of any source. Live requests go before background ones, and groups take
 * turns within a lane. One timer serves all requests, and only while any waits: it keeps the process alive, because a
 * connection is wanted.
 */
export class PermitQueue {
  readonly #source: PermitSource
  readonly #options: CompleteOptions
  readonly #key: string | undefined
  readonly #lanes = { live: new Turns<Waiter>(), background: new Turns<Waiter>() }
  readonly #deadlines = new DeadlineHeap<Waiter>()
  readonly #aborts = new AbortListeners<Waiter>((waiters, signal) =>
    this.#endings.run(this.#endAborted(waiters, abortedError(signal))),
  )
  readonly #endings = new Slices(() => this.#serve())
  /** Owners whose requests are being rejected. */
  readonly #closing = new Set<object>()
  #isEndingLate = false
  readonly #counts = { longestWaitMs: 0, timedOut: 0, aborted: 0, refusedQueueFull: 0 }
  #timer: { at: number; cancel: () => void } | undefined

  /** @param key - the key of a shared limiter, for events. */
  constructor(source: PermitSource, options: CompleteOptions, key: string | undefined) {
    this.#source = source
    this.#options = options
    this.#key = key
    source.onAvailable(() => this.#serve())
  }

  counts(): QueueCounts {
    return { ...this.#counts, waiting: this.#waiting }
  }

  /** Returns a permit if one is free and no other request is before this one. */
  takeFree(lane: PermitLane): Permit | undefined {
    let now = this.#options.clock.now()
    if (this.#timer !== undefined && this.#timer.at <= now) {
      this.#serve()
      now = this.#options.clock.now()
    }
    // A background request never overtakes; a live one finds out whether it may overtake those in the background.
    if (this.#lanes[lane].length > 0 || this.#lanes.live.length > 0) return undefined
    const permit = this.#source.take(now, now, lane)
    return typeof permit === 'number' ? undefined : this.#granted(permit)
  }

  /**
   * Returns a permit, or a promise of one where the request has to wait.
   *
   * @throws {@link RateLimitError} for a request that may not wait
   */
  request(request: PermitRequest): Permit | Promise<Permit> {
    const { signal, lane } = request
    if (signal?.aborted) {
      this.#counts.aborted += 1
      throw abortedError(signal)
    }
    const permit = this.takeFree(lane)
    if (permit !== undefined) return permit
    const now = this.#options.clock.now()
    if (this.#waiting >= this.#options.maxQueue) {
      this.#counts.refusedQueueFull += 1
      throw fullError(this.#state(now))
    }
    return new Promise((resolve, reject) => this.#join(request, now, resolve, reject))
  }

  /** Ends every waiting request of one owner, all with one error. */
  rejectOf(owner: object, error: RateLimitError): void {
    this.#closing.add(owner)
    this.#endings.run(this.#endOwned(owner, error))
  }

  get #waiting(): number {
    return this.#lanes.live.length + this.#lanes.background.length
  }

  #join(request: PermitRequest, now: number, resolve: Waiter['resolve'], reject: Waiter['reject']): void {
    const waiter: Waiter = {
      request,
      group: request.group,
      requestedAt: now,
      deadline: now + request.timeoutMs,
      ahead: this.#waiting,
      resolve,
      reject,
      position: undefined,
      heapIndex: 0,
    }
    const lane = this.#lanes[request.lane]
    lane.add(waiter)
    this.#deadlines.add(waiter)
    if (request.signal !== undefined) this.#aborts.add(request.signal, waiter)
    // A request behind others of its lane changes nothing but the deadline and the demand.
    if (lane.length === 1) this.#serve()
    else {
      this.#source.demand(this.#demand)
      this.#setTimer(now, Number.POSITIVE_INFINITY)
    }
    publish('aurora-iam:rate-limit:waiting', () => ({
      key: this.#key,
      lane: request.lane,
      waiting: this.#waiting,
    }))
  }

  get #demand() {
    return { live: this.#lanes.live.length, background: this.#lanes.background.length }
  }

  #leave(waiter: Waiter): void {
    const { lane, signal } = waiter.request
    this.#lanes[lane].remove(waiter)
    this.#forget(waiter, signal)
  }

  #forget(waiter: Waiter, signal: AbortSignal | undefined): void {
    this.#deadlines.remove(waiter)
    if (signal !== undefined) this.#aborts.delete(signal, waiter)
  }

  /** Grants what can be granted, then ends the waits that are over, then sets the timer. */
  #serve(): void {
    const now = this.#options.clock.now()
    const wakeAt = this.#grantAll(now)
    if (!this.#isEndingLate && (this.#deadlines.first?.deadline ?? Number.POSITIVE_INFINITY) <= now) {
      this.#isEndingLate = true
      this.#endings.run(this.#endLate(now))
      return
    }
    this.#source.demand(this.#demand)
    this.#setTimer(now, wakeAt)
  }

  #grantAll(now: number): number {
    const { live, background } = this.#lanes
    for (;;) {
      const lane = live.length > 0 ? live : background
      const next = lane.first
      if (next === undefined) return Number.POSITIVE_INFINITY
      const { signal } = next.request
      // A slice that ends it is scheduled, and serves the queue again.
      if (signal?.aborted || this.#closing.has(next.request.owner)) return Number.POSITIVE_INFINITY
      const permit = this.#source.take(now, next.requestedAt, next.request.lane)
      if (typeof permit === 'number') return permit
      lane.shift()
      this.#forget(next, signal)
      next.resolve(this.#granted(permit))
    }
  }

  /** Sets the timer for `wakeAt` or the first deadline. One that is set for an earlier time stays. */
  #setTimer(now: number, wakeAt: number): void {
    const at = Math.min(wakeAt, this.#deadlines.first?.deadline ?? Number.POSITIVE_INFINITY)
    const isNeeded = this.#waiting > 0
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
    publish('aurora-iam:rate-limit:permit', () => ({
      type: 'granted',
      key: this.#key,
      id: permit.id,
      lane: permit.lane,
      waitedMs: permit.waitedMs,
      waiting: this.#waiting,
    }))
    return permit
  }

  #end(waiter: Waiter, error: RateLimitError): void {
    this.#leave(waiter)
    waiter.reject(error)
  }

  /** Requests that end together share the error: the stack of one each would be most of what leaving costs. */
  *#endAborted(waiters: Iterable<Waiter>, error: RateLimitError): Generator<void> {
    // One that is granted between two slices, or ends for another reason, leaves `waiters`.
    for (const waiter of waiters) {
      this.#counts.aborted += 1
      this.#end(waiter, error)
      yield
    }
  }

  *#endOwned(owner: object, error: RateLimitError): Generator<void> {
    for (const lane of Object.values(this.#lanes)) {
      for (const waiter of lane) {
        // None of the owner's is granted meanwhile, and other jobs that end it come later.
        if (waiter.request.owner === owner) this.#end(waiter, error)
        yield
      }
    }
    this.#closing.delete(owner)
  }

  *#endLate(now: number): Generator<void> {
    for (let late = this.#deadlines.first; late !== undefined; late = this.#deadlines.first) {
      if (late.deadline > now) break
      this.#counts.timedOut += 1
      this.#leave(late)
      // What it says about the queue is without this request.
      late.reject(timeoutError(late.request.timeoutMs, late.ahead, this.#state(now)))
      yield
    }
    this.#isEndingLate = false
  }

  #state(now: number): QueueState {
    return { source: this.#source, options: this.#options, waiting: this.#waiting, now }
  }
}
