import type { Socket } from 'node:net'

/** The error packet of the server, with the two fields that are read here. */
export interface ServerError {
  readonly errno: number
  readonly message: string
}

// 3 bytes of length, the sequence number, 0xff, 2 bytes of errno, '#' and 5 bytes of SQLSTATE.
const HEADER_BYTES = 4
const ERR = 0xff
const SQLSTATE_MARK = '#'.charCodeAt(0)
const MESSAGE_AT = HEADER_BYTES + 3 + 6

/**
 * Calls `listener` for each error with which the server answers a statement on `stream`. mysql2 reports an
 * error to the caller of the statement alone, and emits none on the connection.
 *
 * It looks for a chunk that is one error packet, which is what a server sends for a statement that it refuses as a
 * whole. With mysql2's `compress` none is found.
 *
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html
 */
export function onServerError(stream: Socket, listener: (error: ServerError) => void): void {
  stream.on('data', (chunk: Buffer) => {
    if (chunk[HEADER_BYTES] !== ERR) return
    if (chunk.readUIntLE(0, 3) !== chunk.length - HEADER_BYTES) return
    if (chunk[HEADER_BYTES + 3] !== SQLSTATE_MARK) return
    listener({ errno: chunk.readUInt16LE(HEADER_BYTES + 1), message: chunk.toString('utf8', MESSAGE_AT) })
  })
}
