import { UsageError } from './usage-error.ts'

/** The largest number of most options: the longest timer of Node, in milliseconds. */
export const MOST = 2 ** 31 - 1

/** The largest limit of logins per second. */
export const MOST_PER_SECOND = 1_000_000

/**
 * Returns the whole number in `text`, or undefined if there is no text.
 *
 * @throws {@link UsageError} for anything but digits and for numbers outside of the range
 */
export function readNumber(
  text: string | undefined,
  option: string,
  { least = 1, most = MOST }: { readonly least?: number; readonly most?: number } = {},
): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new UsageError(`${option}: expected a whole number from ${least} to ${most}.`)
}
