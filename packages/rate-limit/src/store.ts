/**
 * Store in which the processes of a fleet share one limit. Made by `redisStore`. See `docs/fleet.md` for what another engine has to
 * provide.
 */
export interface RateLimitStore {
  /**
   * Takes one atomic step of the fleet protocol for `key`, on the store's clock.
   *
   * @param request - what the process returns and wants, as JSON.
   * @returns what the process holds, as `fleet-step.lua` replies. It is checked, not trusted.
   */
  step(key: string, request: string): Promise<unknown>
}

/** What happens to requests while the store is lost. */
export type OnStoreLost =
  /** Each process goes on with the share of the limit that the store promised it beforehand; without one it waits. */
  | 'share'
  /** Nothing is granted until the store is back. */
  | 'fail-closed'
  /** Each process goes on with the whole limit for itself: together they exceed it. */
  | 'fail-open'

/** Error for a key that holds something else than this version of the protocol can work with. Nothing is granted then. */
export class StoreConflictError extends Error {}
