import { ByteReader } from '../codec/byte-reader.ts'
import { ByteWriter } from '../codec/byte-writer.ts'
import { ownProperties } from '../codec/own-properties.ts'
import { WireError } from '../wire-error.ts'

/** First byte of an OK payload. */
export const OK_MARKER = 0x00
/** First byte of an ERR payload. */
export const ERR_MARKER = 0xff

/**
 * The server's consent.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html
 */
export interface OkPacket {
  readonly affectedRows: bigint
  readonly lastInsertId: bigint
  /** Server status flags. */
  readonly status: number
  readonly warnings: number
  /** Rest of the packet, uninterpreted: a message, or session state when `SESSION_TRACK` was agreed. */
  readonly info: Buffer
}

/**
 * The server's refusal.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html
 */
export interface ErrPacket {
  /** Such as 1045. */
  readonly errno: number
  /** Five characters, such as `28000`. Absent in errors that a server sends instead of its greeting. */
  readonly sqlState?: string | undefined
  readonly message: string
}

/** Encodes the payload of an OK packet. */
export function encodeOk(ok: OkPacket): Buffer {
  return new ByteWriter()
    .integer(OK_MARKER, 1)
    .lengthEncodedInteger(ok.affectedRows)
    .lengthEncodedInteger(ok.lastInsertId)
    .integer(ok.status, 2)
    .integer(ok.warnings, 2)
    .bytes(ok.info)
    .toBuffer()
}

/**
 * Decodes the OK packet in a payload.
 *
 * @throws {@link WireError} `ERR_WIRE_MALFORMED`
 */
export function decodeOk(payload: Buffer): OkPacket {
  const reader = new ByteReader(payload)
  reader.marker(OK_MARKER, 'OK')
  return {
    affectedRows: reader.lengthEncodedInteger(),
    lastInsertId: reader.lengthEncodedInteger(),
    status: reader.integer(2),
    warnings: reader.integer(2),
    info: reader.rest(),
  }
}

/** Encodes the payload of an ERR packet. */
export function encodeErr(given: ErrPacket): Buffer {
  const err = ownProperties(given)
  const writer = new ByteWriter().integer(ERR_MARKER, 1).integer(err.errno, 2)
  if (err.sqlState !== undefined) {
    if (!/^[0-9A-Z]{5}$/.test(err.sqlState)) {
      throw new WireError('ERR_WIRE_MALFORMED', 'a SQLSTATE has five digits or capital letters')
    }
    writer.bytes(Buffer.from(`#${err.sqlState}`))
  }
  return writer.bytes(Buffer.from(err.message)).toBuffer()
}

/**
 * Decodes the ERR packet in a payload.
 *
 * @throws {@link WireError} `ERR_WIRE_MALFORMED`
 */
export function decodeErr(payload: Buffer): ErrPacket {
  const reader = new ByteReader(payload)
  reader.marker(ERR_MARKER, 'ERR')
  const errno = reader.integer(2)
  const text = reader.rest().toString()
  const [, sqlState, message = text] = /^#([0-9A-Z]{5})(.*)/s.exec(text) ?? []
  return { errno, sqlState, message }
}

/**
 * Throws if the payload is an ERR packet, and does nothing otherwise.
 *
 * @throws {@link WireError} `ERR_WIRE_SERVER` with the server's number, SQLSTATE and message.
 */
export function throwIfError(payload: Buffer): void {
  if (payload[0] !== ERR_MARKER) return
  const { errno, sqlState, message } = decodeErr(payload)
  throw new WireError('ERR_WIRE_SERVER', message, { errno, ...(sqlState !== undefined && { sqlState }) })
}
