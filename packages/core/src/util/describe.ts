/** Options for what a message may repeat of a value. */
export interface DescribeOptions {
  /** The option is a number by nature (a port, a duration), so a number in it is no secret. @defaultValue false */
  readonly showNumber?: boolean
}

/**
 * Returns what an error message may say about the value of an option: its type and its size, never its content. A
 * text in the wrong option is often a URL with a password, a key or a token, and no check tells them apart.
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

// Longer ones, and ones with other characters, are no names: a text that was spread into options, a part of a URL.
const NAME = /^[\w$.-]{1,40}$/

/** Returns the name of an option or parameter that does not exist, for an error message: never a text that may be a secret. */
export function describeName(name: string): string {
  return NAME.test(name) ? name : `an option whose name has ${name.length} characters`
}
