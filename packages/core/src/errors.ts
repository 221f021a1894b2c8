import { errorCatalogue } from './error-catalogue.ts'

/** A code of {@link AuroraIamError}: a closed list. Match on it; messages may change. */
export type AuroraIamErrorCode = keyof typeof errorCatalogue

/** Details of an {@link AuroraIamError} beside its code and message. */
export interface AuroraIamErrorDetails {
  /** The error underneath. */
  readonly cause?: unknown
  /** The option to change, as the caller wrote it. */
  readonly option?: string | undefined
  /** For `ERR_AURORA_IAM_RATE_LIMITED`: how long a permit would have taken, in milliseconds. */
  readonly retryAfterMs?: number | undefined
}

/** Marks the errors of every copy of this package. */
const brand = Symbol.for('@aurora-iam/core/error')

/**
 * The one error class that users of an adapter meet from this library. Errors of the server and of the driver are never
 * wrapped in it: they pass through unchanged.
 */
export class AuroraIamError extends Error {
  /** Which of the closed list of failures this is. */
  readonly code: AuroraIamErrorCode
  /** True if the same call can succeed later with nothing changed in the configuration. */
  readonly retryable: boolean
  /** The option to change, as the caller wrote it, where one option is at fault. */
  declare readonly option?: string
  /** For `ERR_AURORA_IAM_RATE_LIMITED`: how long a permit would have taken, in milliseconds. */
  declare readonly retryAfterMs?: number

  constructor(code: AuroraIamErrorCode, message: string, details: AuroraIamErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.retryable = errorCatalogue[code].retryable
    if (details.option !== undefined) this.option = details.option
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs
  }

  /** Returns true for an error of any copy of this package: two adapters may bring two. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this method, and keeps the check by prototype
    if (this !== AuroraIamError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return (value as { [brand]?: unknown })[brand] === true
  }

  get [brand](): true {
    return true
  }

  // On the prototype, so that the stack begins with it.
  override get name(): string {
    return 'AuroraIamError'
  }

  /**
   * Returns the same failure for another connection. Drivers write to the errors they pass on (`fatal`, `code`), so
   * connections that failed for one reason must not share one object.
   */
  copy(): AuroraIamError {
    return new AuroraIamError(this.code, this.message, this)
  }
}
