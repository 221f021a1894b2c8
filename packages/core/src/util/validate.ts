import { LONGEST_TIMER_MS } from '../timings.ts'

/** Returns `value` as a short text that is safe in an error message: never the inside of an object or a long string. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'string')
    return value.length > 80 ? `a string of ${value.length} characters` : `'${value}'`
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'function') return 'a function'
  return String(value)
}

/** Returns true for a number of milliseconds that a timer can wait: 0 to {@link LONGEST_TIMER_MS}. */
export function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_TIMER_MS
}

/** Returns true for an object (not null) and for a function. */
export function isObjectOrFunction(value: unknown): boolean {
  return typeof value === 'function' || (typeof value === 'object' && value !== null)
}
