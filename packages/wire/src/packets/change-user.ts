import { ByteReader } from '../codec/byte-reader.ts'
import { ByteWriter } from '../codec/byte-writer.ts'
import { Capability, hasCapability } from '../codec/capabilities.ts'
import { type ConnectAttributes, readAttributes, writeAttributes } from '../codec/connect-attributes.ts'
import { ownProperties } from '../codec/own-properties.ts'

/** First byte of a COM_CHANGE_USER payload. */
export const CHANGE_USER_COMMAND = 0x11

/**
 * Command that logs an open connection in again.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_change_user.html
 */
export interface ChangeUser {
  readonly user: string
  /** Answer for {@link ChangeUser.authPlugin}; at most 255 bytes. */
  readonly authResponse: Buffer
  /** Empty for none. */
  readonly database: string
  /** Number of the collation that the session starts with. */
  readonly collation?: number | undefined
  /** The plugin that `authResponse` is meant for. */
  readonly authPlugin?: string | undefined
  readonly attributes?: ConnectAttributes | undefined
}

/**
 * Encodes the payload of a COM_CHANGE_USER. Each optional field needs the ones before it.
 *
 * @param capabilities - What both ends agreed on when they logged in.
 */
export function encodeChangeUser(given: ChangeUser, capabilities: number): Buffer {
  const command = ownProperties(given)
  const writer = new ByteWriter()
    .integer(CHANGE_USER_COMMAND, 1)
    .nulTerminated(command.user)
    .shortBytes(command.authResponse)
    .nulTerminated(command.database)
  if (command.collation === undefined) return writer.toBuffer()
  writer.integer(command.collation, 2)
  if (command.authPlugin === undefined || !hasCapability(capabilities, Capability.PLUGIN_AUTH))
    return writer.toBuffer()
  writer.nulTerminated(command.authPlugin)
  if (command.attributes !== undefined && hasCapability(capabilities, Capability.CONNECT_ATTRS)) {
    writeAttributes(writer, command.attributes)
  }
  return writer.toBuffer()
}

/**
 * Decodes the COM_CHANGE_USER in a payload.
 *
 * @param capabilities - What both ends agreed on when they logged in.
 * @throws {@link WireError} `ERR_WIRE_MALFORMED`
 */
export function decodeChangeUser(payload: Buffer, capabilities: number): ChangeUser {
  const reader = new ByteReader(payload)
  reader.marker(CHANGE_USER_COMMAND, 'COM_CHANGE_USER')
  const user = reader.nulTerminated()
  const authResponse = reader.bytes(reader.integer(1))
  const database = reader.nulTerminated()
  const more = (flag: number): boolean => hasCapability(capabilities, flag) && reader.remaining > 0
  const collation = reader.remaining > 0 ? reader.integer(2) : undefined
  const authPlugin = more(Capability.PLUGIN_AUTH) ? reader.nulTerminatedOrRest() : undefined
  const attributes = more(Capability.CONNECT_ATTRS) ? readAttributes(reader) : undefined
  return { user, authResponse, database, collation, authPlugin, attributes }
}
