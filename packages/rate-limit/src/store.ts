/**
 * Where the processes of a fleet meet to share one limit. Made by `redisStore`.
 */
export interface RateLimitStore {
  /**
   * Takes one atomic step of the fleet protocol for `key`, on the store's own clock.
   *
   * @param request - what the process gives back and wants, as JSON.
   * @returns what the process holds, as the script in `fleet-script.ts` tells it. It is checked, not trusted.
   */
  step(key: string, request: string): Promise<unknown>
}

/** What becomes of requests while the store cannot be reached. */
export type OnStoreLost =
  /** Each process goes on with its share: the limit divided by the last known number of processes. */
  | 'share'
  /** Nothing is granted until the store is back. */
  | 'fail-closed'
  /** Each process goes on with the whole limit for itself. */
  | 'fail-open'
