import { ByteReader } from '../codec/byte-reader.ts'
import { ByteWriter } from '../codec/byte-writer.ts'
import { Capability, hasCapability, withCapability } from '../codec/capabilities.ts'
import { WireError } from '../wire-error.ts'
import { throwIfError } from './ok-err.ts'

/** Length of the random bytes that a server greets with. */
export const SCRAMBLE_BYTES = 20

const PROTOCOL_VERSION = 10
const SCRAMBLE_PART_1_BYTES = 8

/**
 * The first packet of a connection, sent by the server.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html
 */
export interface Greeting {
  /** Such as `8.0.39`. MariaDB has put `5.5.5-` before its own. */
  readonly serverVersion: string
  /** Result of `SELECT CONNECTION_ID()` on this connection. */
  readonly connectionId: number
  /** {@link SCRAMBLE_BYTES} random bytes without a NUL, for the password scramble. */
  readonly scramble: Buffer
  /** Bits of {@link Capability}. */
  readonly capabilities: number
  /** Number of the server's default collation. */
  readonly collation: number
  /** Server status flags. */
  readonly status: number
  /** The authentication plugin that the client should answer for at once. */
  readonly authPlugin: string
}

/** Encodes the payload of a greeting. `PROTOCOL_41`, `SECURE_CONNECTION` and `PLUGIN_AUTH` are always announced. */
export function encodeGreeting(greeting: Greeting): Buffer {
  const { scramble } = greeting
  if (scramble.length !== SCRAMBLE_BYTES) {
    throw new WireError('ERR_WIRE_MALFORMED', `a scramble has ${SCRAMBLE_BYTES} bytes`)
  }
  const required = Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH
  const capabilities = withCapability(greeting.capabilities, required)
  return new ByteWriter()
    .integer(PROTOCOL_VERSION, 1)
    .nulTerminated(greeting.serverVersion)
    .integer(greeting.connectionId, 4)
    .bytes(scramble.subarray(0, SCRAMBLE_PART_1_BYTES))
    .zeros(1)
    .integer(capabilities & 0xffff, 2)
    .integer(greeting.collation, 1)
    .integer(greeting.status, 2)
    .integer(capabilities >>> 16, 2)
    .integer(SCRAMBLE_BYTES + 1, 1)
    .zeros(10)
    .bytes(scramble.subarray(SCRAMBLE_PART_1_BYTES))
    .zeros(1)
    .nulTerminated(greeting.authPlugin)
    .toBuffer()
}

/**
 * Decodes the greeting in a payload.
 *
 * @throws {@link WireError} `ERR_WIRE_MALFORMED`; `ERR_WIRE_UNSUPPORTED` for servers older than MySQL 5.5.7;
 * `ERR_WIRE_SERVER` when the server sent an error instead, such as "Too many connections".
 */
export function decodeGreeting(payload: Buffer): Greeting {
  throwIfError(payload)
  const reader = new ByteReader(payload)
  reader.marker(PROTOCOL_VERSION, 'greeting')
  const serverVersion = reader.nulTerminated()
  const connectionId = reader.integer(4)
  const scramblePart1 = reader.bytes(SCRAMBLE_PART_1_BYTES)
  reader.bytes(1)
  const lowCapabilities = reader.integer(2)
  const collation = reader.integer(1)
  const status = reader.integer(2)
  const capabilities = (lowCapabilities | (reader.integer(2) << 16)) >>> 0
  if (!hasCapability(capabilities, Capability.PROTOCOL_41 | Capability.PLUGIN_AUTH)) {
    throw new WireError('ERR_WIRE_UNSUPPORTED', 'the server does not know authentication plugins')
  }
  const scrambleBytes = reader.integer(1)
  reader.bytes(10)
  const scramblePart2 = reader.bytes(Math.max(13, scrambleBytes - SCRAMBLE_PART_1_BYTES))
  const scramble = Buffer.concat([scramblePart1, scramblePart2]).subarray(0, SCRAMBLE_BYTES)
  const authPlugin = reader.nulTerminatedOrRest()
  return { serverVersion, connectionId, scramble, capabilities, collation, status, authPlugin }
}
