import { ByteReader } from '../codec/byte-reader.ts'
import { ByteWriter } from '../codec/byte-writer.ts'
import { Capability, hasCapability, withCapability } from '../codec/capabilities.ts'
import { type ConnectAttributes, readAttributes, writeAttributes } from '../codec/connect-attributes.ts'
import { ownProperties } from '../codec/own-properties.ts'
import { WireError } from '../wire-error.ts'

const RESERVED_BYTES = 23
const SSL_REQUEST_BYTES = 32

/**
 * Request of a client for TLS, which it repeats at the head of its {@link HandshakeResponse}.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_ssl_request.html
 */
export interface SslRequest {
  /** Bits of {@link Capability}: those that both ends shall use. */
  readonly capabilities: number
  /** The longest payload, in bytes, that the client wants to receive. */
  readonly maxPacketBytes: number
  /** Number of the collation that the session starts with. */
  readonly collation: number
}

/**
 * The client's answer to the greeting.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html
 */
export interface HandshakeResponse extends SslRequest {
  readonly user: string
  /** Answer for {@link HandshakeResponse.authPlugin}: a scramble, or a password in the clear. */
  readonly authResponse: Buffer
  readonly database?: string | undefined
  /** The plugin that `authResponse` is meant for. */
  readonly authPlugin?: string | undefined
  readonly attributes?: ConnectAttributes | undefined
}

function head(request: SslRequest, capabilities: number): ByteWriter {
  return new ByteWriter()
    .integer(capabilities, 4)
    .integer(request.maxPacketBytes, 4)
    .integer(request.collation, 1)
    .zeros(RESERVED_BYTES)
}

/** Encodes the payload of a request for TLS. The `SSL` and `PROTOCOL_41` flags are always set. */
export function encodeSslRequest(request: SslRequest): Buffer {
  const flags = Capability.SSL | Capability.PROTOCOL_41
  return head(request, withCapability(request.capabilities, flags)).toBuffer()
}

/** Returns whether a client's first payload asks for TLS rather than logging in. */
export function isSslRequest(payload: Buffer): boolean {
  return payload.length === SSL_REQUEST_BYTES && hasCapability(payload.readUInt32LE(0), Capability.SSL)
}

/**
 * Decodes the head that both answers to a greeting begin with.
 *
 * @throws {@link WireError} `ERR_WIRE_MALFORMED`
 */
export function decodeSslRequest(payload: Buffer): SslRequest {
  return readHead(new ByteReader(payload))
}

function readHead(reader: ByteReader): SslRequest {
  const request = {
    capabilities: reader.integer(4),
    maxPacketBytes: reader.integer(4),
    collation: reader.integer(1),
  }
  reader.bytes(RESERVED_BYTES)
  return request
}

/** Returns the flags of `response` with those of its fields set, and those of absent fields cleared. */
function agreedCapabilities(response: HandshakeResponse): number {
  let flags = withCapability(response.capabilities, Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION)
  flags = withCapability(flags, Capability.CONNECT_WITH_DB, response.database !== undefined)
  flags = withCapability(flags, Capability.PLUGIN_AUTH, response.authPlugin !== undefined)
  return withCapability(flags, Capability.CONNECT_ATTRS, response.attributes !== undefined)
}

/** Encodes the payload of an answer to a greeting. Flags for absent fields are cleared, for present ones set. */
export function encodeHandshakeResponse(given: HandshakeResponse): Buffer {
  const response = ownProperties(given)
  const capabilities = agreedCapabilities(response)
  const writer = head(response, capabilities).nulTerminated(response.user)
  if (hasCapability(capabilities, Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA)) {
    writer.lengthEncodedBytes(response.authResponse)
  } else writer.shortBytes(response.authResponse)
  if (response.database !== undefined) writer.nulTerminated(response.database)
  if (response.authPlugin !== undefined) writer.nulTerminated(response.authPlugin)
  if (response.attributes !== undefined) writeAttributes(writer, response.attributes)
  return writer.toBuffer()
}

/**
 * Decodes the answer to a greeting in a payload. Bytes behind the known fields are ignored, as servers do.
 *
 * @throws {@link WireError} `ERR_WIRE_MALFORMED`; `ERR_WIRE_UNSUPPORTED` for clients older than MySQL 4.1.
 */
export function decodeHandshakeResponse(payload: Buffer): HandshakeResponse {
  const reader = new ByteReader(payload)
  const request = readHead(reader)
  const has = (flag: number): boolean => hasCapability(request.capabilities, flag)
  if (!has(Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION)) {
    throw new WireError('ERR_WIRE_UNSUPPORTED', 'the client speaks a protocol older than MySQL 4.1')
  }
  const user = reader.nulTerminated()
  const authResponse = has(Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA)
    ? reader.lengthEncodedBytes()
    : reader.bytes(reader.integer(1))
  const more = (flag: number): boolean => has(flag) && reader.remaining > 0
  const database = more(Capability.CONNECT_WITH_DB) ? reader.nulTerminatedOrRest() : undefined
  const authPlugin = more(Capability.PLUGIN_AUTH) ? reader.nulTerminatedOrRest() : undefined
  const attributes = more(Capability.CONNECT_ATTRS) ? readAttributes(reader) : undefined
  return { ...request, user, authResponse, database, authPlugin, attributes }
}
