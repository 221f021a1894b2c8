/**
 * Closed list of codes:
 *
 * - `ERR_WIRE_MALFORMED`: the bytes are not the packet that belongs here
 * - `ERR_WIRE_TOO_LARGE`: a packet announces more bytes than the caller allows
 * - `ERR_WIRE_SEQUENCE`: a packet carries the wrong sequence number
 * - `ERR_WIRE_CLOSED`: the stream ended before the packet was complete
 * - `ERR_WIRE_UNSUPPORTED`: the other end asks for something this package does not do, or was told not to do
 * - `ERR_WIRE_SERVER`: the server answered with an ERR packet; `errno`, `sqlState` and `message` are the server's own
 */
export type WireErrorCode =
  | 'ERR_WIRE_MALFORMED'
  | 'ERR_WIRE_TOO_LARGE'
  | 'ERR_WIRE_SEQUENCE'
  | 'ERR_WIRE_CLOSED'
  | 'ERR_WIRE_UNSUPPORTED'
  | 'ERR_WIRE_SERVER'

/** Details of a {@link WireError} beside its code and message. */
export interface WireErrorDetails extends ErrorOptions {
  /** The server's error number, for `ERR_WIRE_SERVER`. */
  readonly errno?: number
  /** The server's five-character SQLSTATE, for `ERR_WIRE_SERVER`. */
  readonly sqlState?: string
}

/** The one error class of this package. Apart from a server's own words in `ERR_WIRE_SERVER`, its message quotes nothing received. */
export class WireError extends Error {
  override readonly name = 'WireError'
  /** The fault, one of a closed list. */
  readonly code: WireErrorCode
  /** The server's error number, for `ERR_WIRE_SERVER`. */
  readonly errno: number | undefined
  /** The server's SQLSTATE, for `ERR_WIRE_SERVER`. */
  readonly sqlState: string | undefined

  constructor(code: WireErrorCode, message: string, details: WireErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.errno = details.errno
    this.sqlState = details.sqlState
  }
}
