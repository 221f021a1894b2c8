/**
 * Closed list of codes, for programs:
 *
 * - `ERR_RATE_LIMIT_INVALID_OPTION`: an option is unknown or out of range; `option` names it. Fix the configuration.
 * - `ERR_RATE_LIMIT_TIMEOUT`: no permit came within `timeoutMs`. Retryable, after about `retryAfterMs`.
 * - `ERR_RATE_LIMIT_QUEUE_FULL`: `maxQueue` requests were waiting already. Retryable, after about `retryAfterMs`.
 * - `ERR_RATE_LIMIT_STORE_LOST`: no permit came within `timeoutMs`, and the store that the limit is shared through could not be
 *   reached; `cause` is the store's error. Retryable.
 * - `ERR_RATE_LIMIT_ABORTED`: the request's `signal` was aborted; `cause` is the signal's reason.
 * - `ERR_RATE_LIMIT_CLOSED`: the limiter was closed before a permit came.
 */
export type RateLimitErrorCode =
  | 'ERR_RATE_LIMIT_INVALID_OPTION'
  | 'ERR_RATE_LIMIT_TIMEOUT'
  | 'ERR_RATE_LIMIT_QUEUE_FULL'
  | 'ERR_RATE_LIMIT_STORE_LOST'
  | 'ERR_RATE_LIMIT_ABORTED'
  | 'ERR_RATE_LIMIT_CLOSED'

/** Details of a {@link RateLimitError} beside its code and message. */
export interface RateLimitErrorDetails {
  /** The error that led to this one. */
  cause?: unknown
  /** The option at fault. */
  option?: string
  /** In about how many milliseconds a new request would be granted. */
  retryAfterMs?: number
}

const retryableCodes: ReadonlySet<RateLimitErrorCode> = new Set([
  'ERR_RATE_LIMIT_TIMEOUT',
  'ERR_RATE_LIMIT_QUEUE_FULL',
  'ERR_RATE_LIMIT_STORE_LOST',
])

/** The one class of error that a rate limiter throws or rejects with. Match on `code`. */
export class RateLimitError extends Error {
  readonly code: RateLimitErrorCode
  /** Whether the same request may succeed later with nothing changed. */
  readonly retryable: boolean
  /** With `ERR_RATE_LIMIT_INVALID_OPTION`: the option at fault, as the caller wrote it. */
  declare readonly option?: string
  /** With a retryable code: in about how many milliseconds a new request would be granted. */
  declare readonly retryAfterMs?: number

  constructor(code: RateLimitErrorCode, message: string, details: RateLimitErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.retryable = retryableCodes.has(code)
    if (details.option !== undefined) this.option = details.option
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs
  }

  override get name(): string {
    return 'RateLimitError'
  }
}
