import { LONGEST_TIMER_MS } from '../timings.ts'

/** Returns true for a number of milliseconds that a timer can wait: 0 to {@link LONGEST_TIMER_MS}. */
export function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_TIMER_MS
}

/** Returns true for an object (not null) and for a function. */
export function isObjectOrFunction(value: unknown): boolean {
  return typeof value === 'function' || (typeof value === 'object' && value !== null)
}
