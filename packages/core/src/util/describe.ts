export { type DescribeOptions, describe } from '@aurora-iam/rate-limit/limiter'

// Longer ones, and ones with other characters, are no names: a text that was spread into options, a part of a URL.
const NAME = /^[\w$.-]{1,40}$/

/**
 * Returns the name of an option or parameter that does not exist, for an error message: never a text that may be a
 * secret.
 */
export function describeName(name: string): string {
  return NAME.test(name) ? name : `an option whose name has ${name.length} characters`
}
