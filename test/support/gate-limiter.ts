import { createRateLimiter, type Permit, type RateLimiter } from '@aurora-iam/rate-limit'

/** A real rate limiter whose permits are held back until the test grants them. */
export interface GateLimiter {
  readonly limiter: RateLimiter
  /** Requests in the queue. */
  readonly waiting: number
  /** Permits that callers received. */
  readonly granted: number
  /** Lets one request through. */
  grant(): void
  /** Lets all remaining requests through. */
  open(): void
}

/**
 * Creates a gate.
 *
 * @param held - permits that wait for `grant()`; no request beyond them passes
 * @param free - permits that pass before the gate closes
 */
export async function gateLimiter(held = 1, free = 0): Promise<GateLimiter> {
  const limiter = createRateLimiter({ limit: held + free, intervalMs: 60_000 })
  const permits: Permit[] = await Promise.all(Array.from({ length: held }, () => limiter.acquire()))
  return {
    limiter,
    get waiting() {
      return limiter.stats().waiting
    },
    get granted() {
      return limiter.stats().granted - held
    },
    grant: () => permits.pop()?.cancel(),
    open: () => {
      for (const permit of permits.splice(0)) permit.cancel()
    },
  }
}
