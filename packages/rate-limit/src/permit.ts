/** How an attempt ended, as far as a rate limiter cares. */
export type PermitOutcome =
  /** The server let the attempt in. */
  | 'ok'
  /** The attempt failed for a reason that has nothing to do with its rate. */
  | 'failed'
  /** The server refused because there were too many attempts: the limiter slows down. */
  | 'throttled'

/**
 * Leave to make one attempt. call `release` when its outcome is known or, if no attempt was made after all, `cancel`.
 * The first call counts and every later one does nothing, so both are safe in a `finally`.
 */
export interface Permit {
  /** How long the request waited for this permit, in milliseconds. */
  readonly waitedMs: number
  /**
   * Whether the permit no longer covers an attempt, because the process was stopped, too busy or cut off from the
   * store for so long that others count on the place. Look at it last thing before the server can count the attempt: if
   * so, acquire another one first.
   */
  readonly isLapsed: boolean
  /** The attempt has ended. Its place is free again `intervalMs` from now. @defaultValue `'ok'` */
  release(outcome?: PermitOutcome): void
  /** Nothing was sent to the server: the place is free at once. Wrong after a socket was opened; use `release` then. */
  cancel(): void
}
