/**
 * Closed list of codes of Local Aurora: match on it.
 *
 * - `ERR_LOCAL_AURORA_INVALID_OPTION`: an option is wrong; {@link LocalAuroraError.option} names it.
 * - `ERR_LOCAL_AURORA_NO_DATABASE`: no database server is installed on this machine and none was named.
 * - `ERR_LOCAL_AURORA_DATABASE_FAILED`: the database behind it did not start, or could not be reached.
 * - `ERR_LOCAL_AURORA_ABORTED`: the caller's `signal` was aborted; `cause` is its reason.
 * - `ERR_LOCAL_AURORA_CLOSED`: it was used after `close()`.
 */
export type LocalAuroraErrorCode =
  | 'ERR_LOCAL_AURORA_INVALID_OPTION'
  | 'ERR_LOCAL_AURORA_NO_DATABASE'
  | 'ERR_LOCAL_AURORA_DATABASE_FAILED'
  | 'ERR_LOCAL_AURORA_ABORTED'
  | 'ERR_LOCAL_AURORA_CLOSED'

/** The one error that Local Aurora throws. A refused login is no error: the client sees MySQL's 1045. */
export class LocalAuroraError extends Error {
  override readonly name: string = 'LocalAuroraError'
  /** The fault, from a closed list. */
  readonly code: LocalAuroraErrorCode
  /** The option at fault, for `ERR_LOCAL_AURORA_INVALID_OPTION`. */
  readonly option: string | undefined

  constructor(
    code: LocalAuroraErrorCode,
    message: string,
    details: { option?: string; cause?: unknown } = {},
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.option = details.option
  }
}
