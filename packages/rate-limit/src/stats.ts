/** State of a limiter, and its counts since it was created. Durations are milliseconds; the rest are counts. */
export interface RateLimiterStats {
  /** The most attempts per interval, as configured or lowered. */
  limit: number
  /** The length of the interval. */
  intervalMs: number
  /** The limit in force: less than `limit` for a while after `'throttled'` outcomes. */
  effectiveLimit: number
  /** Permits that would be granted at once now; with a store, those already in this process's hands. */
  available: number
  /** Permits granted and not yet released, cancelled or expired. */
  inFlight: number
  /** Requests waiting now. */
  waiting: number
  /** Permits granted. */
  granted: number
  /** The longest that a granted request had waited; with `dryRun`, would have waited if attempts took no time. */
  longestWaitMs: number
  /** Permits given back unused with `cancel()`. */
  cancelled: number
  /** Permits released as `'ok'`. */
  succeeded: number
  /** Permits released as `'failed'`. */
  failed: number
  /** Permits released as `'throttled'`. */
  throttled: number
  /** Permits that were not released within `permitTtlMs`. More than 0 means a bug in the caller, or too short a time. */
  expired: number
  /** Requests that ended with `ERR_RATE_LIMIT_TIMEOUT`. */
  timedOut: number
  /** Requests that ended with `ERR_RATE_LIMIT_ABORTED`. */
  aborted: number
  /** Requests that ended with `ERR_RATE_LIMIT_QUEUE_FULL`. */
  refusedQueueFull: number
  /** With `dryRun`: requests that would have waited. */
  dryRunDelayed: number
  /** The processes that share the limit: by `share`, or as last heard from the store; 1 without either. */
  processes: number
  /** True if the store could not be reached when last tried. */
  storeLost: boolean
}
