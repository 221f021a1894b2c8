import { WireError } from '../wire-error.ts'

/** Reads the field types of the protocol from one payload; running past its end is an `ERR_WIRE_MALFORMED`. */
export class ByteReader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  bytes(length: number): Buffer {
    if (length > this.remaining) throw new WireError('ERR_WIRE_MALFORMED', 'the packet ends inside a field')
    const start = this.#offset
    this.#offset += length
    return this.#bytes.subarray(start, this.#offset)
  }

  rest(): Buffer {
    return this.bytes(this.remaining)
  }

  integer(length: 1 | 2 | 3 | 4): number {
    return this.bytes(length).readUIntLE(0, length)
  }

  /** Throws unless the next byte is `expected`, the one that marks the packet called `name`. */
  marker(expected: number, name: string): void {
    if (this.integer(1) !== expected) throw new WireError('ERR_WIRE_MALFORMED', `this is no ${name} packet`)
  }

  nulTerminated(): string {
    const end = this.#bytes.indexOf(0, this.#offset)
    if (end === -1) throw new WireError('ERR_WIRE_MALFORMED', 'a string has no end')
    const text = this.bytes(end - this.#offset).toString()
    this.#offset += 1
    return text
  }

  /** Reads a string. Some ends leave out the NUL behind the last string of a packet. */
  nulTerminatedOrRest(): string {
    return this.#bytes.includes(0, this.#offset) ? this.nulTerminated() : this.rest().toString()
  }

  lengthEncodedInteger(): bigint {
    const first = this.integer(1)
    if (first < 0xfb) return BigInt(first)
    if (first === 0xfc) return BigInt(this.integer(2))
    if (first === 0xfd) return BigInt(this.integer(3))
    if (first === 0xfe) return this.bytes(8).readBigUInt64LE()
    throw new WireError('ERR_WIRE_MALFORMED', 'a length has an impossible first byte')
  }

  lengthEncodedBytes(): Buffer {
    return this.bytes(Number(this.lengthEncodedInteger()))
  }
}
