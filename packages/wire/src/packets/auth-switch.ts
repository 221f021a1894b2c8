import { ByteReader } from '../codec/byte-reader.ts'
import { ByteWriter } from '../codec/byte-writer.ts'

/** First byte of an AuthSwitchRequest payload. */
export const AUTH_SWITCH_MARKER = 0xfe
/** First byte of an AuthMoreData payload. */
export const AUTH_MORE_DATA_MARKER = 0x01

/**
 * The server asks for another authentication plugin. The client's answer is a bare payload of whatever that
 * plugin sends, so it needs no codec.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_auth_switch_request.html
 */
export interface AuthSwitchRequest {
  readonly authPlugin: string
  /** For the plugin; a scramble usually comes with a NUL behind it. */
  readonly data: Buffer
}

/** Encodes the payload of an AuthSwitchRequest. */
export function encodeAuthSwitchRequest(request: AuthSwitchRequest): Buffer {
  return new ByteWriter()
    .integer(AUTH_SWITCH_MARKER, 1)
    .nulTerminated(request.authPlugin)
    .bytes(request.data)
    .toBuffer()
}

/**
 * Decodes the AuthSwitchRequest in a payload.
 *
 * @throws {@link WireError} `ERR_WIRE_MALFORMED`
 */
export function decodeAuthSwitchRequest(payload: Buffer): AuthSwitchRequest {
  const reader = new ByteReader(payload)
  reader.marker(AUTH_SWITCH_MARKER, 'AuthSwitchRequest')
  return { authPlugin: reader.nulTerminated(), data: reader.rest() }
}

/**
 * Encodes the payload of an AuthMoreData packet, with which a plugin goes on.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_auth_more_data.html
 */
export function encodeAuthMoreData(data: Uint8Array): Buffer {
  return new ByteWriter().integer(AUTH_MORE_DATA_MARKER, 1).bytes(data).toBuffer()
}

/**
 * Decodes the plugin's data in an AuthMoreData payload.
 *
 * @throws {@link WireError} `ERR_WIRE_MALFORMED`
 */
export function decodeAuthMoreData(payload: Buffer): Buffer {
  const reader = new ByteReader(payload)
  reader.marker(AUTH_MORE_DATA_MARKER, 'AuthMoreData')
  return reader.rest()
}
