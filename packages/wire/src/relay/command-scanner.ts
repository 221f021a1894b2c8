import { encodePacket, HEADER_BYTES, MAX_PAYLOAD_BYTES, type Packet } from '../codec/packet.ts'
import { WireError } from '../wire-error.ts'

/** Sequence numbers are one byte. */
const LAST_SEQUENCE = 255

/** Result of {@link CommandScanner.push}. */
export interface Scanned {
  /** Bytes to send on, in order. */
  readonly pass: readonly Buffer[]
  /** The command that was looked for, taken out of the stream behind `pass`. */
  readonly command?: Packet | undefined
  /** Bytes behind the command, unread; empty without one. */
  readonly rest: Buffer
}

/** Commands to change on their way to the server. */
export interface Rewriting {
  /** First payload bytes of the commands. */
  readonly commands: readonly number[]
  /** A longer command passes unchanged, so that little has to be held back. */
  readonly maxPayloadBytes: number
  /** Returns the payload to send in place of the client's. */
  readonly rewrite: (payload: Buffer) => Buffer
}

/**
 * Finds one command in what a client sends, looking at packet headers and at the first byte of each
 * command only. Everything else goes on at once, in the pieces it came in; a packet is held back only when
 * it is that command, or one to rewrite.
 */
export class CommandScanner {
  readonly #command: number
  readonly #maxPayloadBytes: number
  readonly #rewriting: Rewriting | undefined
  #held = Buffer.alloc(0)
  #passing = 0
  #continues = false
  /** True if the next packet with sequence number 0 is the rest of a file that LOAD DATA LOCAL INFILE sends. */
  #isWithinFile = false
  #latest: number | undefined

  /**
   * @param command - First payload byte of the command to take out.
   * @param maxPayloadBytes - The longest such command to accept.
   * @param rewriting - Other commands to change. None if left out.
   */
  constructor(command: number, maxPayloadBytes: number, rewriting?: Rewriting) {
    this.#command = command
    this.#maxPayloadBytes = maxPayloadBytes
    this.#rewriting = rewriting
  }

  /** First payload byte of the latest command that passed. */
  get latest(): number | undefined {
    return this.#latest
  }

  /**
   * Looks at the next bytes.
   *
   * @throws {@link WireError} `ERR_WIRE_TOO_LARGE` when the command is longer than allowed.
   */
  push(chunk: Buffer): Scanned {
    const pass: Buffer[] = []
    let rest = chunk
    const take = (length: number): Buffer => {
      const part = rest.subarray(0, length)
      rest = rest.subarray(part.length)
      return part
    }
    while (rest.length > 0) {
      if (this.#passing > 0) {
        const part = take(this.#passing)
        this.#passing -= part.length
        pass.push(part)
        continue
      }
      this.#held = Buffer.concat([this.#held, take(this.#wanted() - this.#held.length)])
      if (this.#held.length < this.#wanted()) continue
      if (this.#isCommand()) {
        const command = { sequence: 0, payload: this.#held.subarray(HEADER_BYTES) }
        this.#held = Buffer.alloc(0)
        return { pass, command, rest }
      }
      if (this.#isFirst()) this.#latest = this.#held[HEADER_BYTES]
      const rewriting = this.#applicableRewriting()
      if (rewriting !== undefined) {
        const payload = rewriting.rewrite(this.#held.subarray(HEADER_BYTES))
        pass.push(encodePacket({ sequence: 0, payload }))
        this.#held = Buffer.alloc(0)
        continue
      }
      this.#passing = HEADER_BYTES + this.#length() - this.#held.length
      // A file goes out in numbered packets, which wrap to 0 after 255; an empty packet ends it.
      this.#isWithinFile = this.#held[3] === LAST_SEQUENCE && this.#length() > 0
      this.#continues = this.#length() === MAX_PAYLOAD_BYTES
      pass.push(this.#held)
      this.#held = Buffer.alloc(0)
    }
    return { pass, command: undefined, rest }
  }

  #length(): number {
    return this.#held.readUIntLE(0, 3)
  }

  /** Returns the first payload byte, when this packet begins a command. */
  #first(): number | undefined {
    return this.#isFirst() ? this.#held[HEADER_BYTES] : undefined
  }

  #isCommand(): boolean {
    return this.#first() === this.#command
  }

  /** Returns whether the packet begins a command. */
  #isFirst(): boolean {
    return !this.#continues && !this.#isWithinFile && this.#held[3] === 0
  }

  /** Returns the rewriting, when this packet is a command that it changes. */
  #applicableRewriting(): Rewriting | undefined {
    const first = this.#first()
    if (this.#rewriting === undefined || first === undefined) return undefined
    const { commands, maxPayloadBytes } = this.#rewriting
    return commands.includes(first) && this.#length() <= maxPayloadBytes ? this.#rewriting : undefined
  }

  /** Returns how many bytes of this packet must be held to decide, or to have all of the command. */
  #wanted(): number {
    if (this.#held.length < HEADER_BYTES) return HEADER_BYTES
    const length = this.#length()
    if (this.#held.length === HEADER_BYTES) return HEADER_BYTES + Math.min(length, 1)
    if (this.#applicableRewriting() !== undefined) return HEADER_BYTES + length
    if (!this.#isCommand()) return this.#held.length
    if (length > this.#maxPayloadBytes) {
      throw new WireError(
        'ERR_WIRE_TOO_LARGE',
        `a command announces more than ${this.#maxPayloadBytes} bytes`,
      )
    }
    return HEADER_BYTES + length
  }
}
