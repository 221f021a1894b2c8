import type { Permit, PermitLane } from './permit.ts'

/** Counts of a source of permits; described at `RateLimiterStats`. */
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
  fleetInUse: number
  fleetWaiting: number
  share: number
  storeLost: boolean
}

/** Requests that wait, by lane. */
export type Demand = Readonly<Record<PermitLane, number>>

/** Source of the permits of a queue. All instants are milliseconds on the limiter's clock. */
export interface PermitSource {
  /**
   * Returns a permit for a request made at `requestedAt` or, when none is free, the instant at which to ask again. When
   * one may become free before that instant, the source calls the function given to `onAvailable`.
   */
  take(now: number, requestedAt: number, lane: PermitLane): Permit | number
  /** Sets the function to call when a permit may have become free sooner than `take` reported. */
  onAvailable(listener: () => void): void
  /** Receives the number of waiting requests whenever it may have changed. */
  demand(waiting: Demand): void
  /** Returns in about how many milliseconds a request behind `ahead` others would be granted. */
  estimateWaitMs(now: number, ahead: number): number
  /** Lowers the limit; a larger one changes nothing. */
  lower(limit: number): void
  counts(now: number): PermitCounts
  /** Returns whether nothing that was granted counts any more. */
  isIdle(now: number): boolean
  /** Reports what ended to the store, if there is one. */
  flush(): Promise<void>
  /** Stops what the source does while no request waits; the next request starts it again. */
  rest(): void
  /** Why permits may be slower than the limit allows, when the source is degraded. */
  readonly degradedBy: Error | undefined
}
