import type { Socket } from 'node:net'

// A packet is three bytes of length, one of sequence, and its payload: zero for OK, or 255, the number of the error in
// two bytes, `#` and five bytes of SQLSTATE where the client is known, and the message.
const HEADER_BYTES = 4
const OK = 0
const ERROR = 255
const ERROR_BYTES = 3
const SQLSTATE_MARK = '#'.charCodeAt(0)
const SQLSTATE_BYTES = 6

/** mysql2's names for what a server answers to a login, by number. */
const CODES: Readonly<Record<number, string>> = {
  1040: 'ER_CON_COUNT_ERROR',
  1045: 'ER_ACCESS_DENIED_ERROR',
  1129: 'ER_HOST_IS_BLOCKED',
  1130: 'ER_HOST_NOT_PRIVILEGED',
}

/** OK, or the error that a server answers with. */
interface Reply {
  readonly error: Error | undefined
}

/**
 * Returns OK or the error in the first packet of `bytes`; undefined while it is incomplete, and for any other packet.
 */
export function replyIn(bytes: Buffer): Reply | undefined {
  const payload = firstPayload(bytes)
  return payload && readReply(payload)
}

/** Returns the payload of the first packet; undefined while it is incomplete. */
function firstPayload(bytes: Buffer): Buffer | undefined {
  if (bytes.length < HEADER_BYTES) return undefined
  const end = HEADER_BYTES + bytes.readUIntLE(0, 3)
  return bytes.length < end ? undefined : bytes.subarray(HEADER_BYTES, end)
}

function readReply(payload: Buffer): Reply | undefined {
  if (payload[0] === OK) return { error: undefined }
  if (payload[0] !== ERROR || payload.length < ERROR_BYTES) return undefined
  return { error: errorIn(payload) }
}

/**
 * Calls `listener` with the server's next packet on `stream`, if it is OK (undefined) or an error: once, and before
 * mysql2 reports it. Not for a connection that compresses.
 *
 * @returns a function that stops it
 */
export function onceAnswered(stream: Socket, listener: (error: Error | undefined) => void): () => void {
  let received = Buffer.alloc(0)
  const read = (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    const payload = firstPayload(received)
    if (!payload) return
    stop()
    const reply = readReply(payload)
    if (reply) listener(reply.error)
  }
  const stop = () => {
    stream.off('data', read)
  }
  stream.prependListener('data', read)
  return stop
}

/** Returns the error that mysql2 makes of the same packet, with the parts that are used here. */
function errorIn(payload: Buffer): Error {
  const errno = payload.readUInt16LE(1)
  const messageAt = ERROR_BYTES + (payload[ERROR_BYTES] === SQLSTATE_MARK ? SQLSTATE_BYTES : 0)
  const code = CODES[errno]
  return Object.assign(new Error(payload.toString('utf8', messageAt)), { errno, ...(code && { code }) })
}
