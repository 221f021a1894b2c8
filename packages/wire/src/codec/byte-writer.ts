import { WireError } from '../wire-error.ts'

/** Collects the field types of the protocol into one payload. */
export class ByteWriter {
  readonly #parts: Buffer[] = []

  bytes(bytes: Uint8Array): this {
    this.#parts.push(Buffer.from(bytes))
    return this
  }

  zeros(length: number): this {
    this.#parts.push(Buffer.alloc(length))
    return this
  }

  integer(value: number, length: 1 | 2 | 3 | 4): this {
    if (!Number.isInteger(value) || value < 0 || value >= 256 ** length) {
      throw new WireError('ERR_WIRE_MALFORMED', `a field of ${length} bytes cannot hold the number given`)
    }
    const bytes = Buffer.alloc(length)
    bytes.writeUIntLE(value, 0, length)
    this.#parts.push(bytes)
    return this
  }

  nulTerminated(text: string): this {
    if (text.includes('\0')) throw new WireError('ERR_WIRE_MALFORMED', 'a string cannot contain a NUL')
    this.#parts.push(Buffer.from(`${text}\0`))
    return this
  }

  lengthEncodedInteger(value: bigint): this {
    if (value < 0xfbn) return this.integer(Number(value), 1)
    if (value < 0x1_0000n) return this.integer(0xfc, 1).integer(Number(value), 2)
    if (value < 0x100_0000n) return this.integer(0xfd, 1).integer(Number(value), 3)
    if (value >= 2n ** 64n) {
      throw new WireError('ERR_WIRE_MALFORMED', 'a field of 8 bytes cannot hold the number given')
    }
    const bytes = Buffer.alloc(9, 0xfe)
    bytes.writeBigUInt64LE(value, 1)
    this.#parts.push(bytes)
    return this
  }

  lengthEncodedBytes(bytes: Uint8Array): this {
    return this.lengthEncodedInteger(BigInt(bytes.length)).bytes(bytes)
  }

  /** Bytes behind a length of one byte. */
  shortBytes(bytes: Uint8Array): this {
    return this.integer(bytes.length, 1).bytes(bytes)
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#parts)
  }
}
