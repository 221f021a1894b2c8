/** Options for what a message may repeat of a value. */
export interface DescribeOptions {
  /** The option is a number by nature (a port, a duration), so a number in it is no secret. @defaultValue false */
  readonly showNumber?: boolean
}

/**
 * Returns what an error message may say about the value of an option: its type and its size, never its content. A
 * text in the wrong option is often a URL with a password, a key or a token, and no check distinguishes them.
 */
export function describe(value: unknown, { showNumber = false }: DescribeOptions = {}): string {
  if (value === undefined || value === null || typeof value === 'boolean') return String(value)
  if (value === '') return 'an empty string'
  if (typeof value === 'string') return `a string of ${value.length} characters`
  if (typeof value === 'number') return showNumber || Number.isNaN(value) ? String(value) : 'a number'
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Promise) return 'a promise'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
