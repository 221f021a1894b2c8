import type { RateLimitClock } from './clock.ts'
import type { OnStoreLost } from './store.ts'

/** Options of a limiter: attempts per interval, and the wait of a request. */
export interface RateLimiterOptions {
  /** The most attempts that the server may see in any sliding interval of `intervalMs`. A whole number from 1. */
  limit: number
  /** The length of the interval, in milliseconds. @defaultValue 1000 */
  intervalMs?: number
  /**
   * The longest a request waits for its permit, in milliseconds; `acquire({ timeoutMs })` overrides it.
   * @defaultValue 30000; with a store at least `2 * intervalMs + 5000`
   */
  maxWaitMs?: number
  /**
   * The most requests that wait at once; the next is refused. 0 refuses whatever cannot be granted at once.
   * @defaultValue 10000
   */
  maxQueue?: number
  /**
   * A permit that is neither released nor cancelled counts as released after this many milliseconds. Longer than any
   * attempt may last, or the server may see more than `limit`. @defaultValue 60000
   */
  permitTtlMs?: number
  /**
   * After a `'throttled'` outcome halved the limit: one place comes back each time this many milliseconds pass.
   * @defaultValue 1000
   */
  recoveryIntervalMs?: number
  /**
   * The most attempts of this process that may be under way at once, whatever their rate. A whole number from 1.
   *
   * @defaultValue `limit`
   */
  maxInFlight?: number
  /**
   * Grants everything at once and only counts, in `stats()`, what would have waited. For this process alone: a store is
   * not asked. @defaultValue false
   */
  dryRun?: boolean
  /** Shares the limit with every process that uses the same store and key. See `redisStore`. */
  store?: RateLimitStore
  /** With a store: what becomes of requests while it cannot be reached. @defaultValue 'share' */
  onStoreLost?: OnStoreLost
  /**
   * So many processes share the limit, and none knows of the others: each keeps to `limit / processes`, and grants its
   * first permit at a random moment of the first interval. With a store: the number to go by until the store has told
   * one.
   */
  share?: { processes: number }
  /** For tests. @defaultValue the process's monotonic clock */
  clock?: RateLimitClock
}

/** The options of a limiter with every default filled in. */
export type CompleteOptions = Readonly<
  Required<Omit<RateLimiterOptions, 'store' | 'share'>> & Pick<RateLimiterOptions, 'store' | 'share'>
>

/**
 * Store in which the processes of a fleet share one limit. `redisStore` and `dynamoStore` return one. For another
 * database, `fleetStore` and `ticketStore` make one: see `docs/fleet.md`.
 */
export interface RateLimitStore {
  /**
   * Creates the permits of one process, which only a limiter does. It stands here so that a bundle without a store has
   * none of the code for fleets.
   */
  createPermits(...args: never): unknown
}
