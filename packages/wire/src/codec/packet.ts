import { WireError } from '../wire-error.ts'

/** Bytes of the header before every payload: three of length, one of sequence number. */
export const HEADER_BYTES = 4

/** A payload of exactly this length says that the next packet continues it. */
export const MAX_PAYLOAD_BYTES = 0xff_ff_ff

/**
 * One protocol packet.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
 */
export interface Packet {
  /** Sequence number, 0 to 255. It starts at 0 with each command and wraps. */
  readonly sequence: number
  /** The bytes behind the header. */
  readonly payload: Buffer
}

/**
 * Encodes header and payload.
 *
 * @throws {@link WireError} `ERR_WIRE_TOO_LARGE` for a payload that would need a continuation packet.
 */
export function encodePacket(packet: Packet): Buffer {
  const { length } = packet.payload
  if (length >= MAX_PAYLOAD_BYTES)
    throw new WireError('ERR_WIRE_TOO_LARGE', 'the payload needs several packets')
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length)
  bytes.writeUIntLE(length, 0, 3)
  bytes.writeUInt8(packet.sequence & 0xff, 3)
  packet.payload.copy(bytes, HEADER_BYTES)
  return bytes
}

/**
 * Cuts a stream of bytes, arriving in pieces of any size, into packets.
 *
 * It holds at most one incomplete packet and whatever was pushed behind it, and refuses a packet by its
 * header alone, so that an announced length never costs memory.
 */
export class PacketReader {
  readonly #maxPayloadBytes: number
  /** The bytes that came first, in one piece. */
  #head: Buffer = Buffer.alloc(0)
  #tail: Buffer[] = []
  #buffered = 0

  /**
   * @param maxPayloadBytes - The longest payload to accept. Payloads that continue in a second packet are never
   * accepted.
   */
  constructor(maxPayloadBytes: number) {
    this.#maxPayloadBytes = Math.min(maxPayloadBytes, MAX_PAYLOAD_BYTES - 1)
  }

  /** Adds bytes as they arrived. The reader keeps the buffer: do not write to it afterwards. */
  push(chunk: Buffer): void {
    this.#tail.push(chunk)
    this.#buffered += chunk.length
  }

  /**
   * Returns the next complete packet, or `undefined` when more bytes are needed.
   *
   * @throws {@link WireError} `ERR_WIRE_TOO_LARGE` as soon as a header announces more than allowed.
   */
  next(): Packet | undefined {
    const header = this.#atLeast(HEADER_BYTES)
    if (header === undefined) return undefined
    const length = header.readUIntLE(0, 3)
    if (length > this.#maxPayloadBytes) {
      throw new WireError('ERR_WIRE_TOO_LARGE', `a packet announces more than ${this.#maxPayloadBytes} bytes`)
    }
    const end = HEADER_BYTES + length
    const bytes = this.#atLeast(end)
    if (bytes === undefined) return undefined
    this.#head = bytes.subarray(end)
    this.#buffered -= end
    return { sequence: bytes.readUInt8(3), payload: bytes.subarray(HEADER_BYTES, end) }
  }

  /** Takes out the bytes that belong to no packet returned so far. */
  takeRest(): Buffer {
    const rest = this.#joined()
    this.#head = Buffer.alloc(0)
    this.#tail = []
    this.#buffered = 0
    return rest
  }

  /** Returns the first bytes held, in one piece of at least `length`; undefined when fewer are held. */
  #atLeast(length: number): Buffer | undefined {
    if (this.#buffered < length) return undefined
    if (this.#head.length < length) {
      this.#head = this.#joined()
      this.#tail = []
    }
    return this.#head
  }

  #joined(): Buffer {
    return Buffer.concat([this.#head, ...this.#tail])
  }
}
