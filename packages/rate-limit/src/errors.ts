import { rateLimitErrors } from './error-catalogue.ts'

/**
 * Code of {@link RateLimitError}: a closed list. Match on it. The error catalogue has the meaning and the remedy of
 * each.
 */
export type RateLimitErrorCode = keyof typeof rateLimitErrors

/** Details of a {@link RateLimitError} beside its code and message. */
export interface RateLimitErrorDetails {
  /** The error that led to this one. */
  cause?: unknown
  /** The option at fault. */
  option?: string
  /** In about how many milliseconds a new request would be granted. */
  retryAfterMs?: number
}

/** The one class of error that a rate limiter throws or rejects with. Match on `code`. */
export class RateLimitError extends Error {
  readonly code: RateLimitErrorCode
  /** True if the same request may succeed later with nothing changed. */
  readonly retryable: boolean
  /** With `ERR_RATE_LIMIT_INVALID_OPTION`: the option at fault, as the caller wrote it. */
  declare readonly option?: string
  /** With a retryable code: in about how many milliseconds a new request would be granted. */
  declare readonly retryAfterMs?: number

  constructor(code: RateLimitErrorCode, message: string, details: RateLimitErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.retryable = rateLimitErrors[code].retryable
    if (details.option !== undefined) this.option = details.option
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs
  }

  override get name(): string {
    return 'RateLimitError'
  }
}
