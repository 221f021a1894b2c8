/** State of a limiter now, and counts since it was made. Durations are milliseconds; the rest are counts. */
export interface RateLimiterStats {
  /** The most attempts per interval, as configured or lowered. */
  limit: number
  /** The length of the interval. */
  intervalMs: number
  /** The limit in force: less than `limit` for a while after `'throttled'` outcomes, and while the store is lost. */
  effectiveLimit: number
  /** Permits that would be granted at once now; with a store, those that this process holds. */
  available: number
  /** Permits granted and not yet released, cancelled or expired. */
  inFlight: number
  /** Requests waiting now. */
  waiting: number
  /** Permits granted. */
  granted: number
  /** The longest that a granted request waited; with `dryRun`, would have waited if attempts took no time. */
  longestWaitMs: number
  /** Permits returned unused with `cancel()`. */
  cancelled: number
  /** Permits released as `'ok'`. */
  succeeded: number
  /** Permits released as `'failed'`. */
  failed: number
  /** Permits released as `'throttled'`. */
  throttled: number
  /**
   * Permits that were not released within `permitTtlMs`. More than 0 means a bug in the caller, or too short a time.
   */
  expired: number
  /** Requests that ended with `ERR_RATE_LIMIT_TIMEOUT` or `ERR_RATE_LIMIT_STORE_LOST`. */
  timedOut: number
  /** Requests that ended with `ERR_RATE_LIMIT_ABORTED`. */
  aborted: number
  /** Requests that ended with `ERR_RATE_LIMIT_QUEUE_FULL`. */
  refusedQueueFull: number
  /** With `dryRun`: requests that would have waited. */
  dryRunDelayed: number
  /** The processes that share the limit: by `share`, or as last reported by the store; 1 without either. */
  processes: number
  /** With a store: permits that all processes held when it last replied. */
  fleetInUse: number
  /** With a store: processes that waited when it last replied. */
  fleetWaiting: number
  /** With a store: permits per interval that this process may use while the store is lost, as promised beforehand. */
  share: number
  /** True if the last request to the store failed. */
  storeLost: boolean
}
