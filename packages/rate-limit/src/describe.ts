/**
 * Returns what an error message may say about the value of an option: its type and its size, never its content. A text
 * in the wrong option is often a URL with a password. The same rule as in `@aurora-iam/core`, which is built on this
 * package.
 *
 * @param showNumber - the option is a number by nature, so a number in it is no secret
 */
export function describe(value: unknown, { showNumber = false }: { showNumber?: boolean } = {}): string {
  if (value === undefined || value === null || typeof value === 'boolean') return String(value)
  if (value === '') return 'an empty string'
  if (typeof value === 'string') return `a string of ${value.length} characters`
  if (typeof value === 'number') return showNumber || Number.isNaN(value) ? String(value) : 'a number'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
