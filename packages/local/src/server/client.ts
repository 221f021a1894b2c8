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

/** The client's side of one connection: its packets, its time limit, its end. */
export class Client {
  /** Number of the connection in the log. */
  readonly connection: number
  readonly remoteAddress: string
  /** Last step that the connection reached, for the log. */
  phase: ClosedEvent['phase'] = 'greeting'
  /** Where packets go now: over TLS once that has begun. */
  channel: PacketChannel
  #stream: Duplex
  readonly #socket: Duplex
  readonly #log: LoginLog
  readonly #timeoutMs: number
  readonly #closed = new AbortController()
  #end: Pick<ClosedEvent, 'by' | 'detail'> | undefined
  /** Aborted when the traffic goes on; undefined while it is not held. */
  #held: AbortController | undefined
  /** The session in the database, while it is relayed. */
  #session: Duplex | undefined
  #idleSinceMs: number | undefined

  /** @param timeoutMs - How long every single wait for the client may take. */
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

  /** Returns the client's next packet; the connection breaks if that takes too long. */
  read(): Promise<Packet> {
    return this.within(this.channel.read())
  }

  /** Waits for what depends on the other end; breaks the connection if that takes too long. */
  async within<Result>(wait: Promise<Result>): Promise<Result> {
    const timer = setTimeout(() => this.destroy('server', 'timeout'), this.#timeoutMs).unref()
    try {
      return await wait
    } finally {
      clearTimeout(timer)
    }
  }

  /** Takes the stream back from a relay, at the given place in a command. */
  resumeTalking(sequence: number): void {
    this.channel = new PacketChannel(this.#stream)
    this.channel.sequence = sequence
  }

  /** Takes down that bytes of a session passed, for {@link Client.closeIdle}. */
  passed(from: 'client' | 'server'): void {
    this.#idleSinceMs = from === 'server' ? performance.now() : undefined
  }

  /** Begins a relayed session. */
  beginSession(session: Duplex): void {
    this.#session = session
    this.#idleSinceMs = performance.now()
    if (this.#held !== undefined) for (const stream of [this.#stream, session]) stream.pause()
  }

  /** Stops all traffic, and closes nothing, until {@link Client.release}. */
  hold(): void {
    if (this.#held !== undefined) return
    this.#held = new AbortController()
    this.#stream.cork()
    for (const stream of this.#relayed()) stream.pause()
  }

  /** Lets the traffic go on. */
  release(): void {
    if (this.#held === undefined) return
    this.#held.abort()
    this.#held = undefined
    this.#stream.uncork()
    for (const stream of this.#relayed()) stream.resume()
  }

  /** Closes a session that has been idle for `idleMs`, with the error that MySQL gives; returns whether it did. */
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

  /** Goes on over TLS, with the client's next bytes. */
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

  /** Lets time go by, less if the client leaves. */
  async pause(delayMs: number): Promise<void> {
    if (delayMs > 0) await sleep(delayMs, undefined, { signal: this.#closed.signal, ref: false })
  }

  /** Says nothing until the client leaves. */
  async hang(): Promise<void> {
    this.#stream.resume()
    await this.closed()
  }

  /** Says what is wrong, as the last packet. The connection ends when {@link Client.finish} is called. */
  fail(error: ErrPacket, detail?: string): void {
    this.channel.write(encodeErr(error))
    this.#end ??= { by: 'server', ...(detail !== undefined && { detail }) }
  }

  /** Sends the bare rejection that Aurora gives for any reason. */
  deny(user: string, withPassword: boolean): void {
    const password = withPassword ? 'YES' : 'NO'
    const message = `Access denied for user '${user}'@'${this.remoteAddress}' (using password: ${password})`
    this.fail({ errno: 1045, sqlState: '28000', message })
  }

  /** Ends the stream and waits until the client has got what was written, or is gone. */
  async flush(): Promise<void> {
    if (this.#held !== undefined) await Promise.race([once(this.#held.signal, 'abort'), this.closed()])
    endGracefully(this.#stream)
    await this.closed()
  }

  /** Breaks the connection. The first reason given is the one that counts. Traffic that is held hides it. */
  destroy(by: ClosedEvent['by'], detail?: string): void {
    this.#end ??= { by, ...(detail !== undefined && { detail }) }
    if (this.#held === undefined) this.#break()
    else this.#held.signal.addEventListener('abort', () => this.#break(), { once: true })
  }

  /** Breaks the connection at once, even while traffic is held. */
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

  /** Ends the connection unless it has ended, and takes that down. */
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

  /** Resolves when the connection is over. */
  async closed(): Promise<void> {
    if (!this.#closed.signal.aborted) await once(this.#closed.signal, 'abort')
  }
}
