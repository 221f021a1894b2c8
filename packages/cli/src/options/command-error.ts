/** Failure that is no bug: the program writes the message without a stack and exits with 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
