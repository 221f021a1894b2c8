import type { Socket } from 'node:net'

// A packet is three bytes of length, one of sequence, and what it says: zero for OK, or 255, the number of the error
// in two bytes, `#` and five bytes of SQLSTATE, and the message.
const HEADER_BYTES = 4
const OK = 0
const ERROR = 255
const MESSAGE_AT = 9

const ER_ACCESS_DENIED = 1045

/**
 * Calls `listener` with what the server says next on `stream`, if that is OK (undefined) or an error: once, and before
 * mysql2 tells anybody. Not for a connection that compresses.
 *
 * @returns what stops it
 */
export function onceAnswered(stream: Socket, listener: (error: Error | undefined) => void): () => void {
  let received = Buffer.alloc(0)
  const read = (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    if (received.length < HEADER_BYTES) return
    const end = HEADER_BYTES + received.readUIntLE(0, 3)
    if (received.length < end) return
    stop()
    const payload = received.subarray(HEADER_BYTES, end)
    if (payload[0] === OK) listener(undefined)
    else if (payload[0] === ERROR && payload.length >= MESSAGE_AT) listener(errorIn(payload))
  }
  const stop = () => {
    stream.off('data', read)
  }
  stream.prependListener('data', read)
  return stop
}

/** The error as mysql2 makes it of the same packet, as far as anybody here asks. */
function errorIn(payload: Buffer): Error {
  const errno = payload.readUInt16LE(1)
  const error = new Error(payload.toString('utf8', MESSAGE_AT))
  return Object.assign(error, {
    errno,
    ...(errno === ER_ACCESS_DENIED && { code: 'ER_ACCESS_DENIED_ERROR' }),
  })
}
