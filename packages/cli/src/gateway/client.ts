import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type SecureContext, TLSSocket } from 'node:tls'
import { type ErrPacket, encodeErr, endGracefully, type Packet, PacketChannel } from '@aurora-iam/wire'

/** Longest wait for a packet of a client that is not logged in, in milliseconds. */
const ANSWER_TIMEOUT_MS = 10_000

/** Connection of one client: its packets, its time limit and its end. */
export class GatewayClient {
  /** Address of the client. It is `localhost` for a Unix socket, as in MySQL. */
  readonly address: string
  /** Aborts when the client is gone. */
  readonly closed: AbortSignal
  /** Channel for the packets, over TLS once that has started. */
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
    // The channel and the relay report the error.
    socket.on('error', () => {})
    socket.once('close', () => closed.abort())
  }

  /** The stream to relay. */
  get stream(): Duplex {
    return this.#stream
  }

  /** Waits for the next packet. Destroys the connection when that takes too long. */
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

  /** Continues with packets after a relay. The next one that is sent has the number `sequence`. */
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

  /** Destroys the connection. */
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
