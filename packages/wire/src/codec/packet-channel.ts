import type { Duplex } from 'node:stream'
import { WireError } from '../wire-error.ts'
import { ownProperties } from './own-properties.ts'
import { encodePacket, type Packet, PacketReader } from './packet.ts'

/** Ample for a token with the longest session token seen, and for every other packet of a login. */
const DEFAULT_MAX_PAYLOAD_BYTES = 64 * 1024

// Without a listener an error between two reads would end the process. The next read finds it on the stream.
const ignore = (): void => {}

/** Options of a {@link PacketChannel}. */
export interface PacketChannelOptions {
  /**
   * The longest payload to accept.
   * @defaultValue 65536
   */
  readonly maxPayloadBytes?: number
}

/**
 * Packets over a stream, one at a time, for as long as both ends take turns: logging in and changing user.
 *
 * It reads no faster than it is asked to, and {@link PacketChannel.release} gives the stream back with every byte that
 * no packet used, so that TLS or a relay can go on with it. It never ends the stream; destroying the
 * stream is how a waiting read is cancelled.
 */
export class PacketChannel {
  /** Sequence number of the next packet in either direction. Set it to 0 where a command begins. */
  sequence = 0
  readonly #stream: Duplex
  readonly #reader: PacketReader

  constructor(stream: Duplex, options: PacketChannelOptions = {}) {
    this.#stream = stream
    this.#reader = new PacketReader(ownProperties(options).maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES)
    stream.on('error', ignore)
  }

  /** The stream that the packets are on. */
  get stream(): Duplex {
    return this.#stream
  }

  /**
   * Waits for the next packet. Only one read may wait at a time.
   *
   * @throws {@link WireError} `ERR_WIRE_CLOSED` when the stream ends or fails first, `ERR_WIRE_TOO_LARGE`,
   * `ERR_WIRE_SEQUENCE`.
   */
  async read(): Promise<Packet> {
    let packet = this.#reader.next()
    while (packet === undefined) {
      this.#reader.push(await this.#readChunk())
      packet = this.#reader.next()
    }
    if (packet.sequence !== this.sequence) {
      throw new WireError(
        'ERR_WIRE_SEQUENCE',
        `packet ${packet.sequence} came where ${this.sequence} was due`,
      )
    }
    this.#advance()
    return packet
  }

  /** Sends a payload as the next packet. */
  write(payload: Buffer): void {
    this.#stream.write(encodePacket({ sequence: this.sequence, payload }))
    this.#advance()
  }

  /** Gives the stream back. Bytes that were received but belong to no packet read so far are put back into it. */
  release(): void {
    this.#stream.off('error', ignore)
    const rest = this.#reader.takeRest()
    // Node reports it as an error of the stream when bytes are put back behind its end.
    if (!this.#stream.readableEnded) this.#stream.unshift(rest)
  }

  #advance(): void {
    this.sequence = (this.sequence + 1) % 256
  }

  async #readChunk(): Promise<Buffer> {
    for (;;) {
      const chunk: Buffer | null = this.#stream.read()
      if (chunk !== null) return chunk
      if (this.#stream.readableEnded || this.#stream.destroyed) {
        const cause = this.#stream.errored
        throw new WireError('ERR_WIRE_CLOSED', 'the connection was closed', cause ? { cause } : {})
      }
      await this.#changed()
    }
  }

  #changed(): Promise<void> {
    const events = ['readable', 'end', 'close', 'error']
    return new Promise((resolve) => {
      const settle = (): void => {
        for (const event of events) this.#stream.off(event, settle)
        resolve()
      }
      for (const event of events) this.#stream.on(event, settle)
    })
  }
}
