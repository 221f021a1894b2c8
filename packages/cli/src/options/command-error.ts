/** A failure that is no bug: the message is written without a stack, and the process ends with `status`. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  /** The exit status. */
  readonly status: number

  constructor(message: string, status = 1, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}
