import { createRateLimiter, type RateLimiter } from '@aurora-iam/rate-limit'

/** A limiter that lets nobody through until it is told to. */
export interface Gate extends RateLimiter {
  readonly waiting: number
  readonly granted: number
  /** Lets the next one through. */
  grant(): void
  /** Lets everybody through from now on. */
  open(): void
}

export function closedGate(): Gate {
  const limiter = createRateLimiter({ limit: 1 })
  const queue: Array<() => void> = []
  let isOpen = false
  let granted = 0
  return {
    limit: limiter.limit,
    intervalMs: limiter.intervalMs,
    lower: (limit) => limiter.lower(limit),
    stats: () => limiter.stats(),
    get waiting() {
      return queue.length
    },
    get granted() {
      return granted
    },
    acquire: async () => {
      if (!isOpen) await new Promise<void>((resolve) => queue.push(resolve))
      granted++
      return { waitedMs: 0, isLapsed: false, release: () => {}, cancel: () => {} }
    },
    grant: () => queue.shift()?.(),
    open: () => {
      isOpen = true
      for (const pass of queue.splice(0)) pass()
    },
    close: () => {},
  }
}
