import type { Permit } from './permit.ts'

/** What a source of permits counts; described at `RateLimiterStats`. */
export interface PermitCounts {
  limit: number
  effectiveLimit: number
  available: number
  inFlight: number
  granted: number
  cancelled: number
  succeeded: number
  failed: number
  throttled: number
  expired: number
  dryRunDelayed: number
  dryRunMaxWaitMs: number
  processes: number
  storeLost: boolean
}

/** Where the queue gets its permits. All instants are milliseconds on the limiter's clock. */
export interface PermitSource {
  /**
   * A permit for a request made at `requestedAt`, or, when none is free, the instant at which to ask again. If one may
   * come free before that instant, the source calls `wake`.
   */
  take(now: number, requestedAt: number): Permit | number
  /** Sets the function to call when a permit may have come free sooner than `take` said. */
  bind(wake: () => void): void
  /** Hears how many requests wait, whenever that may have changed. */
  demand(waiting: number): void
  /** In about how many milliseconds a request with `ahead` others before it would be granted. */
  estimateWaitMs(now: number, ahead: number): number
  /** Makes the limit smaller from now on; a larger one changes nothing. */
  lower(limit: number): void
  counts(now: number): PermitCounts
  /** Whether nothing that was granted counts any more. */
  isIdle(now: number): boolean
  /** Why permits may be slower than the limit says, if something is wrong with their source. */
  readonly trouble: Error | undefined
}
