/** Outcome of an attempt for the rate limiter. */
export type PermitOutcome =
  /** The server accepted the attempt. */
  | 'ok'
  /** The attempt failed for a reason that has nothing to do with its rate. */
  | 'failed'
  /** The server rejected the attempt because there were too many: the limiter slows down. */
  | 'throttled'

/**
 * Which queue a request waits in. `'live'`: a caller waits for the connection. `'background'`: no caller waits, as when
 * a pool warms up or replaces a connection before it has to. Live requests go first.
 */
export type PermitLane = 'live' | 'background'

/**
 * Permission to make one attempt. Call `release` when the outcome is known or, if no attempt was made after all,
 * `cancel`. The first call counts and every later one does nothing, so both are safe in a `finally`.
 */
export interface Permit {
  /** Identifies the permit in the events of the channel `aurora-iam:rate-limit:permit`. Unique over processes. */
  readonly id: string
  /** The queue that the request waited in. */
  readonly lane: PermitLane
  /** Milliseconds that the request waited for this permit. */
  readonly waitedMs: number
  /**
   * True if the permit no longer covers an attempt: the process was stopped, busy or cut off from the store for so long
   * that other processes may use its permit. Check it last thing before the server can count the attempt. If it is
   * true, release the permit as `'failed'` and acquire another one.
   */
  readonly isLapsed: boolean
  /** Ends the attempt. The permit is free again `intervalMs` from now. @defaultValue `'ok'` */
  release(outcome?: PermitOutcome): void
  /** Returns the permit unused: it is free at once. Wrong after a socket was opened; use `release` then. */
  cancel(): void
}

/** Tells the permits of this process from those of others, in the events of a fleet. */
const processPrefix = crypto.randomUUID().slice(0, 8)

let permits = 0

/** Returns a number that no other permit of this process has. */
export function nextPermitNumber(): number {
  permits += 1
  return permits
}

/** Returns the identifier of a permit, which no permit of another process has. */
export function permitId(number: number): string {
  return `${processPrefix}-${number}`
}
