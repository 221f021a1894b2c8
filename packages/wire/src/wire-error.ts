import { ownProperties } from './codec/own-properties.ts'
import type { wireErrors } from './error-catalogue.ts'

/**
 * Code of {@link WireError}: a closed list. Match on it. The error catalogue has the meaning and the remedy of each.
 */
export type WireErrorCode = keyof typeof wireErrors

/** Details of a {@link WireError} beside its code and message. */
export interface WireErrorDetails {
  /** The error that led to it. */
  readonly cause?: unknown
  /** The server's error number, for `ERR_WIRE_SERVER`. */
  readonly errno?: number
  /** The server's five-character SQLSTATE, for `ERR_WIRE_SERVER`. */
  readonly sqlState?: string
}

/**
 * The one error class of this package. Apart from a server's own words in `ERR_WIRE_SERVER`, its message quotes nothing
 * received.
 */
export class WireError extends Error {
  override readonly name = 'WireError'
  /** The fault, one of a closed list. */
  readonly code: WireErrorCode
  /** The server's error number, for `ERR_WIRE_SERVER`. */
  readonly errno: number | undefined
  /** The server's SQLSTATE, for `ERR_WIRE_SERVER`. */
  readonly sqlState: string | undefined

  constructor(code: WireErrorCode, message: string, details: WireErrorDetails = {}) {
    const { errno, sqlState, ...options } = ownProperties(details)
    super(message, ownProperties(options))
    this.code = code
    this.errno = errno
    this.sqlState = sqlState
  }
}
