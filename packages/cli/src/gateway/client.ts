import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type SecureContext, TLSSocket } from 'node:tls'
import { type ErrPacket, encodeErr, endGracefully, type Packet, PacketChannel } from '@aurora-iam/wire'

/** A client must answer each packet within so many milliseconds until it is logged in. */
const ANSWER_TIMEOUT_MS = 10_000

/** The client's side of one connection: its packets, its time limit, its end. */
export class GatewayClient {
  /** The address of the client; `localhost` for a Unix socket, as MySQL says. */
  readonly address: string
  /** Aborts when the client is gone. */
  readonly closed: AbortSignal
  /** Packets go here; over TLS once that has started. */
  channel: PacketChannel
  #stream: Duplex
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
    this.#stream = socket
    this.channel = new PacketChannel(socket)
    this.address = socket.remoteAddress ?? 'localhost'
    const closed = new AbortController()
    this.closed = closed.signal
    // The channel and the relay report it.
    socket.on('error', () => {})
    socket.once('close', () => closed.abort())
  }

  /** The stream to relay. */
  get stream(): Duplex {
    return this.#stream
  }

  get isEncrypted(): boolean {
    return this.#stream !== this.#socket
  }

  /** Waits for the next packet. Breaks the connection where that takes too long. */
  read(): Promise<Packet> {
    return this.#withinTime(this.channel.read())
  }

  /** Continues over TLS with the client's next bytes. */
  async startTls(secureContext: SecureContext): Promise<void> {
    const { sequence } = this.channel
    this.channel.release()
    const secured = new TLSSocket(this.#socket, { isServer: true, secureContext })
    secured.on('error', () => this.#socket.destroy())
    await this.#withinTime(once(secured, 'secure', { signal: this.closed }))
    this.#stream = secured
    this.channel = new PacketChannel(secured)
    this.channel.sequence = sequence
  }

  /** Takes the stream back from a relay, at the given place in a command. */
  resumeTalking(sequence: number): void {
    this.channel = new PacketChannel(this.#stream)
    this.channel.sequence = sequence
  }

  /** Sends an error as the last packet and closes the connection. */
  async fail(error: ErrPacket): Promise<void> {
    if (this.closed.aborted) return
    this.channel.write(encodeErr(error))
    endGracefully(this.#stream)
    if (!this.closed.aborted) await once(this.closed, 'abort')
  }

  /** Breaks the connection. */
  destroy(): void {
    this.#stream.destroy()
    this.#socket.destroy()
  }

  async #withinTime<T>(wait: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.destroy(), ANSWER_TIMEOUT_MS)
    try {
      return await wait
    } finally {
      clearTimeout(timer)
    }
  }
}
