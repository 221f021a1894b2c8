/** Engine that runs the whole protocol of a fleet in one atomic step, on its clock. */
export interface FleetEngine {
  /**
   * Takes one atomic step of the fleet protocol for `key`, on the store's clock.
   *
   * @param request - what the process returns and wants, as JSON.
   * @returns what the process holds, as `fleet-step.lua` replies. It is checked, not trusted.
   */
  step(key: string, request: string): Promise<unknown>
}

/** Rule for requests while the store is lost. */
export type OnStoreLost =
  /** Each process goes on with the share of the limit that the store promised it beforehand; without one it waits. */
  | 'share'
  /** Nothing is granted until the store is back. */
  | 'fail-closed'
  /** Each process goes on with the whole limit for itself: together they exceed it. */
  | 'fail-open'

/**
 * Error for a key that holds something else than this version of the protocol can work with. Nothing is granted then.
 */
export class StoreConflictError extends Error {}

/**
 * Counter of a database without a clock that processes could share. Any database that can add to a number in one atomic
 * step can be used. Tickets have times by the clocks of the processes, so these must not differ by more than
 * `toleranceMs`.
 */
export interface TicketCounter {
  /** By how many milliseconds the clocks of two processes may differ. */
  readonly toleranceMs: number
  /** Longest time of an attempt from its permit to the moment when the server counts it, in milliseconds. */
  readonly handshakeMs: number
  /**
   * Draws a ticket in one atomic step: the number after the largest one that was drawn, or `atLeast` if that is larger.
   *
   * @param shape - limit and block length. A key that is in use with another shape rejects with
   * {@link StoreConflictError}.
   * @returns the number, or undefined when it would be more than `atMost`: then no ticket is drawn.
   */
  draw(key: string, shape: string, atLeast: number, atMost: number): Promise<number | undefined>
}
