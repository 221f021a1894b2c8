import type { localAuroraErrors } from './error-catalogue.ts'

/**
 * Code of {@link LocalAuroraError}: a closed list. Match on it. The error catalogue has the meaning and the remedy of
 * each.
 */
export type LocalAuroraErrorCode = keyof typeof localAuroraErrors

/** The one error class of Local Aurora. A rejected login is no such error: the client gets 1045 of MySQL. */
export class LocalAuroraError extends Error {
  override readonly name: string = 'LocalAuroraError'
  /** The fault, one of a closed list. */
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
