import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ErrPacket,
  encodeErr,
  encodePacket,
  endGracefully,
  type Packet,
  PacketChannel,
} from '@aurora-iam/wire'
import type { ClosedEvent } from '../log/log-events.ts'
import type { LoginLog } from '../log/login-log.ts'
import { acceptTls, type ServerCertificates } from '../tls/accept-tls.ts'
import type { Incoming } from './context.ts'

/** Error that MySQL reports since 8.0.24: https://dev.mysql.com/doc/relnotes/mysql/8.0/en/news-8-0-24.html */
const IDLE_TIMEOUT: ErrPacket = {
  errno: 4031,
  sqlState: 'HY000',
  message:
    'The client was disconnected by the server because of inactivity. ' +
    'See wait_timeout and interactive_timeout for configuring this behavior.',
}

/** Connection of one client: its packets, its time limit and its end. */
export class Client {
  /** Number of the connection in the log. */
  readonly connection: number
  readonly remoteAddress: string
  /** Last step that the connection reached, for the log. */
  phase: ClosedEvent['phase'] = 'greeting'
  /** Channel for the packets, over TLS once that has begun. */
  channel: PacketChannel
  #stream: Duplex
  readonly #socket: Duplex
  readonly #log: LoginLog
  readonly #timeoutMs: number
  readonly #closed = new AbortController()
  #end: Pick<ClosedEvent, 'by' | 'detail'> | undefined
  /** Aborts when held traffic continues; undefined while the traffic is not held. */
  #held: AbortController | undefined
  /** The session in the database, while it is relayed. */
  #session: Duplex | undefined
  #idleSinceMs: number | undefined

  /** @param timeoutMs - Longest time of one wait for the client. */
  constructor({ stream, connection, remoteAddress }: Incoming, log: LoginLog, timeoutMs: number) {
    this.#socket = stream
    this.#stream = stream
    this.#log = log
    this.#timeoutMs = timeoutMs
    this.connection = connection
    this.remoteAddress = remoteAddress
    this.channel = new PacketChannel(stream)
    stream.on('error', () => {})
    stream.once('close', () => this.#closed.abort())
    log.record({ type: 'connection', connection, remoteAddress })
  }

  /** The stream, for a relay. */
  get stream(): Duplex {
    return this.#stream
  }

  /** True if the connection is encrypted. */
  get encrypted(): boolean {
    return this.#stream !== this.#socket
  }

  /** Returns the next packet of the client. Destroys the connection if that takes too long. */
  read(): Promise<Packet> {
    return this.within(this.channel.read())
  }

  /** Waits for a promise. Destroys the connection if that takes too long. */
  async within<Result>(wait: Promise<Result>): Promise<Result> {
    const timer = setTimeout(() => this.destroy('server', 'timeout'), this.#timeoutMs).unref()
    try {
      return await wait
    } finally {
      clearTimeout(timer)
    }
  }

  /** Continues with packets after a relay. The next one that is sent has the number `sequence`. */
  resumeTalking(sequence: number): void {
    this.channel = new PacketChannel(this.#stream)
    this.channel.sequence = sequence
  }

  /** Records that bytes of a session passed, for {@link Client.closeIdle}. */
  passed(from: 'client' | 'server'): void {
    this.#idleSinceMs = from === 'server' ? performance.now() : undefined
  }

  /** Begins a relayed session. */
  beginSession(session: Duplex): void {
    this.#session = session
    this.#idleSinceMs = performance.now()
    if (this.#held !== undefined) for (const stream of [this.#stream, session]) stream.pause()
  }

  /** Stops all traffic until {@link Client.release}. The connection stays open. */
  hold(): void {
    if (this.#held !== undefined) return
    this.#held = new AbortController()
    this.#stream.cork()
    for (const stream of this.#relayed()) stream.pause()
  }

  /** Continues the traffic after {@link Client.hold}. */
  release(): void {
    if (this.#held === undefined) return
    this.#held.abort()
    this.#held = undefined
    this.#stream.uncork()
    for (const stream of this.#relayed()) stream.resume()
  }

  /** Closes a session that has been idle for `idleMs`, with MySQL's error. Returns true if it did. */
  closeIdle(idleMs: number): boolean {
    if (this.#idleSinceMs === undefined || performance.now() - this.#idleSinceMs < idleMs) return false
    this.#end ??= { by: 'server', detail: 'idle for too long' }
    this.#idleSinceMs = undefined
    this.#stream.write(encodePacket({ sequence: 0, payload: encodeErr(IDLE_TIMEOUT) }))
    endGracefully(this.#stream)
    return true
  }

  #relayed(): Duplex[] {
    return this.#session === undefined ? [] : [this.#stream, this.#session]
  }

  /** Continues over TLS with the client's next bytes. */
  async startTls(certificate: ServerCertificates['valid']): Promise<void> {
    const { sequence } = this.channel
    this.phase = 'tls'
    this.channel.release()
    const stream = await this.within(acceptTls(this.#socket, certificate))
    this.#stream = stream
    if (this.#held !== undefined) stream.cork()
    this.channel = new PacketChannel(stream)
    this.channel.sequence = sequence
    this.phase = 'auth'
    const servername = stream.servername || undefined
    this.#log.record({
      type: 'tls',
      connection: this.connection,
      protocol: stream.getProtocol() ?? 'unknown',
      ...(servername !== undefined && { servername }),
      resumed: stream.isSessionReused(),
    })
  }

  /** Waits for `delayMs`, or until the client leaves. */
  async pause(delayMs: number): Promise<void> {
    if (delayMs > 0) await sleep(delayMs, undefined, { signal: this.#closed.signal, ref: false })
  }

  /** Sends nothing until the client leaves. */
  async hang(): Promise<void> {
    this.#stream.resume()
    await this.closed()
  }

  /** Sends an error as the last packet. The connection ends when {@link Client.finish} is called. */
  fail(error: ErrPacket, detail?: string): void {
    this.channel.write(encodeErr(error))
    this.#end ??= { by: 'server', ...(detail !== undefined && { detail }) }
  }

  /** Sends 1045, which Aurora sends for every reason. */
  deny(user: string, withPassword: boolean): void {
    const password = withPassword ? 'YES' : 'NO'
    const message = `Access denied for user '${user}'@'${this.remoteAddress}' (using password: ${password})`
    this.fail({ errno: 1045, sqlState: '28000', message })
  }

  /** Ends the stream and waits until the client has received everything, or is gone. */
  async flush(): Promise<void> {
    if (this.#held !== undefined) await Promise.race([once(this.#held.signal, 'abort'), this.closed()])
    endGracefully(this.#stream)
    await this.closed()
  }

  /** Destroys the connection, or does so once held traffic continues. The first reason counts. */
  destroy(by: ClosedEvent['by'], detail?: string): void {
    this.#end ??= { by, ...(detail !== undefined && { detail }) }
    if (this.#held === undefined) this.#break()
    else this.#held.signal.addEventListener('abort', () => this.#break(), { once: true })
  }

  /** Destroys the connection at once, also while traffic is held. */
  drop(): void {
    this.#end ??= { by: 'server', detail: 'dropped' }
    this.#held?.abort()
    this.#held = undefined
    this.#break()
  }

  #break(): void {
    this.#stream.destroy()
    this.#socket.destroy()
  }

  /** Ends the connection unless it has ended, and records that in the log. */
  async finish(): Promise<void> {
    if (!this.#closed.signal.aborted) await this.flush()
    this.#socket.destroy()
    this.#log.record({
      type: 'closed',
      connection: this.connection,
      phase: this.phase,
      by: 'client',
      ...this.#end,
    })
  }

  /** Waits until the connection is closed. */
  async closed(): Promise<void> {
    if (!this.#closed.signal.aborted) await once(this.#closed.signal, 'abort')
  }
}
