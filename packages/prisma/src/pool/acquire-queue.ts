/** Wait of one query or transaction for a connection. */
export interface Waiter<T> {
  readonly promise: Promise<T>
  reject(error: Error): void
}

/** Settings of an {@link AcquireQueue}. */
export interface AcquireLimits {
  /** Longest wait, in milliseconds. */
  readonly timeoutMs: number
  /** Returns true if the waiter at `position`, 0 for the first, may wait on when its time is over. */
  readonly isExtended: (position: number) => boolean
  /** Returns the error for a wait that was too long. */
  readonly timeoutError: () => Error
}

/** Queue of the queries and transactions that wait for a connection, in the order of their arrival. */
export class AcquireQueue<T> {
  readonly #limits: AcquireLimits
  readonly #waiters = new Set<Waiter<T>>()

  constructor(limits: AcquireLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#waiters.size
  }

  /**
   * Waits in the queue for the result of `waiter`.
   *
   * @throws the error of the limits when the wait is too long
   * @throws the error that {@link rejectFirst} or {@link rejectAll} was called with
   */
  async wait(waiter: Waiter<T>): Promise<T> {
    const { timeoutMs, isExtended, timeoutError } = this.#limits
    let timer: NodeJS.Timeout | undefined
    const limitTime = () => {
      timer = setTimeout(() => {
        if (isExtended([...this.#waiters].indexOf(waiter))) limitTime()
        else waiter.reject(timeoutError())
      }, timeoutMs)
    }
    this.#waiters.add(waiter)
    limitTime()
    try {
      return await waiter.promise
    } finally {
      clearTimeout(timer)
      this.#waiters.delete(waiter)
    }
  }

  /** Rejects the waiter that has waited longest. */
  rejectFirst(error: Error): void {
    const [first] = this.#waiters
    if (!first) return
    // Its wait ends later, and the next call is for the next one.
    this.#waiters.delete(first)
    first.reject(error)
  }

  /** Rejects every waiter. */
  rejectAll(error: Error): void {
    for (const waiter of this.#waiters) waiter.reject(error)
  }
}
