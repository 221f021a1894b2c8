import { UsageError } from './usage-error.ts'

/**
 * Returns the whole number in `text`, or undefined if there is no text.
 *
 * @throws {@link UsageError} for anything but digits and for numbers outside of the range
 */
export function readNumber(
  text: string | undefined,
  option: string,
  { least = 1, most = 2 ** 31 - 1 }: { readonly least?: number; readonly most?: number } = {},
): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new UsageError(`${option}: expected a whole number from ${least} to ${most}.`)
}
