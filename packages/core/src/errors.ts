/**
 * The closed list of codes of {@link AuroraIamError}. Match on these; messages may change.
 *
 * - `ERR_AURORA_IAM_UNKNOWN_OPTION`: an option that does not exist
 * - `ERR_AURORA_IAM_INVALID_OPTION`: an option with a value that cannot be used
 * - `ERR_AURORA_IAM_CONFLICTING_OPTIONS`: options that contradict each other
 * - `ERR_AURORA_IAM_PASSWORD_GIVEN`: a password beside IAM
 * - `ERR_AURORA_IAM_HOST_NOT_SIGNABLE`: a host that no token can be signed for (loopback, IP, CNAME, …)
 * - `ERR_AURORA_IAM_REGION_UNKNOWN`: the Region is neither given nor in the host name nor configured
 * - `ERR_AURORA_IAM_TLS_REQUIRED`: TLS is switched off, weakened, or was not verified on this connection
 * - `ERR_AURORA_IAM_TRUST_ROOTS_MISSING`: no certificate authorities are known for this Region; pass `ca`
 * - `ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE`: the AWS credential source failed, or gave none that last for a login
 * - `ERR_AURORA_IAM_CREDENTIALS_TIMEOUT`: the AWS credential source did not answer
 * - `ERR_AURORA_IAM_CREDENTIALS_INVALID`: the AWS credential source answered nonsense, or expired credentials
 * - `ERR_AURORA_IAM_TOKEN_FAILED`: the token could not be made
 * - `ERR_AURORA_IAM_ACCESS_DENIED`: never thrown; the `cause` of a server's 1045 to a token that had just been made
 * - `ERR_AURORA_IAM_NOT_A_WRITER`: with `requireWriter`, the writer endpoint led to a reader
 * - `ERR_AURORA_IAM_RATE_LIMITED`: no place under the connection rate within `maxWaitMs`
 * - `ERR_AURORA_IAM_CLOSED`: used after `close()`, or called off by whoever waited
 */
export type AuroraIamErrorCode =
  | 'ERR_AURORA_IAM_UNKNOWN_OPTION'
  | 'ERR_AURORA_IAM_INVALID_OPTION'
  | 'ERR_AURORA_IAM_CONFLICTING_OPTIONS'
  | 'ERR_AURORA_IAM_PASSWORD_GIVEN'
  | 'ERR_AURORA_IAM_HOST_NOT_SIGNABLE'
  | 'ERR_AURORA_IAM_REGION_UNKNOWN'
  | 'ERR_AURORA_IAM_TLS_REQUIRED'
  | 'ERR_AURORA_IAM_TRUST_ROOTS_MISSING'
  | 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE'
  | 'ERR_AURORA_IAM_CREDENTIALS_TIMEOUT'
  | 'ERR_AURORA_IAM_CREDENTIALS_INVALID'
  | 'ERR_AURORA_IAM_TOKEN_FAILED'
  | 'ERR_AURORA_IAM_ACCESS_DENIED'
  | 'ERR_AURORA_IAM_NOT_A_WRITER'
  | 'ERR_AURORA_IAM_RATE_LIMITED'
  | 'ERR_AURORA_IAM_CLOSED'

// Everything else is a configuration to mend: the same call fails again.
const RETRYABLE: ReadonlySet<AuroraIamErrorCode> = new Set([
  'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE',
  'ERR_AURORA_IAM_CREDENTIALS_TIMEOUT',
  'ERR_AURORA_IAM_TOKEN_FAILED',
  'ERR_AURORA_IAM_NOT_A_WRITER',
  'ERR_AURORA_IAM_RATE_LIMITED',
])

/** What an {@link AuroraIamError} carries beside its code and message. */
export interface AuroraIamErrorDetails {
  /** The error underneath. */
  readonly cause?: unknown
  /** The option to change, as the caller wrote it. */
  readonly option?: string | undefined
  /** For `ERR_AURORA_IAM_RATE_LIMITED`: how long a place would have taken, in milliseconds. */
  readonly retryAfterMs?: number | undefined
}

/**
 * The one error class that users of an adapter meet from this library. Errors of the server and of the
 * driver are never wrapped in it: they pass through unchanged.
 */
export class AuroraIamError extends Error {
  /** Which of the closed list of failures this is. */
  readonly code: AuroraIamErrorCode
  /** Whether the same call can succeed later with nothing changed in the configuration. */
  readonly retryable: boolean
  /** The option to change, as the caller wrote it, where one option is at fault. */
  declare readonly option?: string
  /** For `ERR_AURORA_IAM_RATE_LIMITED`: how long a place would have taken, in milliseconds. */
  declare readonly retryAfterMs?: number

  constructor(code: AuroraIamErrorCode, message: string, details: AuroraIamErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.retryable = RETRYABLE.has(code)
    if (details.option !== undefined) this.option = details.option
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs
  }

  // On the prototype, so that the stack begins with it.
  override get name(): string {
    return 'AuroraIamError'
  }

  /**
   * The same failure for another connection. Drivers write to the errors they pass on (`fatal`, `code`), so
   * connections that failed for one reason must not share one object.
   */
  copy(): AuroraIamError {
    return new AuroraIamError(this.code, this.message, this)
  }
}
