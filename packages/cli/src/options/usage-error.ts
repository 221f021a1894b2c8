/** Arguments that cannot be used. The message names the option, what was expected, and what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
