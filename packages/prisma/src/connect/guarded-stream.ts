import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { setImmediate as nextIteration } from 'node:timers/promises'
import type { Address } from '@aurora-iam/core'
import { deadPeers, GreetingGuard, KEEP_ALIVE_MS } from '@aurora-iam/core/adapter'
import { ownDataListener, reportEnd } from './mariadb-internals.ts'
import { TlsRecordSplitter } from './tls-record-splitter.ts'

/** Records that are held for mariadb before the socket pauses. */
const MAX_HELD_RECORDS = 64

/**
 * Stream between mariadb and its socket. Some servers make mariadb throw where no code can catch, which ends the
 * process. They send bytes behind the greeting or bytes that mariadb cannot read, or close the connection at a moment
 * that it does not expect. The same happens for an error of its TLS socket after it has removed its listeners.
 *
 * Before TLS, each of these is an error of this stream. After TLS has begun, it is reported to mariadb and not to its
 * TLS socket. mariadb gets the bytes of the server before the end of the connection.
 */
export class GuardedStream extends Duplex {
  readonly #socket = new Socket()
  readonly #guard = new GreetingGuard()
  readonly #splitter = new TlsRecordSplitter()
  readonly #held: Buffer[] = []
  /** End of the connection. It is reported to mariadb after the records that are held. */
  #ending: { readonly error: Error | undefined } | undefined
  #isSecured = false
  #isDelivering = false
  #isBroken = false
  /** True if mariadb's connection over this stream has a listener for errors. */
  hasErrorListener = false
  /** Called when the first bytes come. mariadb gets them once its promise resolves. Undefined after the call. */
  #confirmPermit: (() => Promise<void> | undefined) | undefined
  #isWaitingForPermit = false

  /** @param confirmPermit - called once, when the first bytes of the server come. They wait for its promise */
  constructor(address: Address, confirmPermit?: () => Promise<void> | undefined) {
    super({ allowHalfOpen: false })
    this.#confirmPermit = confirmPermit
    this.#socket.on('data', (chunk) => this.#receive(chunk))
    this.#socket.on('end', () => this.#end())
    this.#socket.on('error', (error) => this.#end(error))
    this.#socket.once('connect', () => {
      deadPeers.watch(this.#socket)
      this.emit('connect')
    })
    // `connect` ignores both as options. Without the first, each query waits 40 ms for an acknowledgement.
    this.#socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS).connect(address)
  }

  /** True if the connection has ended. mariadb does not notice that between the server's OK and its own last step. */
  get isBroken(): boolean {
    return this.#isBroken || this.destroyed
  }

  /** Error by which the network ended the connection. */
  get networkError(): Error | undefined {
    return this.#ending?.error
  }

  /** IP address of the server; undefined when the socket is closed. */
  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  /** Ends the connection at once, and reports `error` to mariadb. Without one mariadb creates an error. */
  breakOff(error?: Error): void {
    if (this.isBroken) return
    this.#isBroken = true
    this.#held.length = 0
    this.#socket.destroy()
    reportEnd(this, error)
  }

  /** Sets the time-out of the socket. mariadb calls it, because it expects a `net.Socket`. */
  setTimeout(timeoutMs: number, listener?: () => void): this {
    this.#socket.setTimeout(timeoutMs, listener)
    return this
  }

  /** Removes listeners. When mariadb removes its own `data` listener, that of the TLS socket stays. */
  override removeAllListeners(event?: string | symbol): this {
    if (event !== 'data') return super.removeAllListeners(event)
    this.#isSecured = true
    const own = ownDataListener(this)
    return own ? this.removeListener('data', own) : this
  }

  // The TLS socket reads while this stream emits, so that an error which mariadb throws at the bytes comes here.
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'data') return super.emit(event, ...args)
    try {
      return super.emit(event, ...args)
    } catch (error) {
      const failure = unreadable(error)
      if (this.#isSecured) this.breakOff(failure)
      else this.destroy(failure)
      return true
    }
  }

  override _read(): void {
    if (this.#held.length < MAX_HELD_RECORDS) this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    // An error in the callback would reach the TLS socket. The `error` event of the socket reports it.
    this.#socket.write(chunk, () => callback())
  }

  override _final(callback: () => void): void {
    this.#socket.end(() => callback())
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#socket.destroy()
    callback(error)
  }

  #receive(chunk: Buffer): void {
    if (this.#isSecured && (this.#isDelivering || !this.hasErrorListener)) {
      this.#hold(chunk)
      return
    }
    const refusal = this.#isSecured ? undefined : this.#guard.check(chunk)
    if (refusal) {
      this.destroy(refusal)
      return
    }
    const permit = this.#confirmPermit?.()
    this.#confirmPermit = undefined
    if (permit) void this.#deliverAfter(permit, chunk)
    else if (!this.push(chunk)) this.#socket.pause()
  }

  async #deliverAfter(permit: Promise<void>, greeting: Buffer): Promise<void> {
    this.#isWaitingForPermit = true
    this.#socket.pause()
    try {
      await permit
    } catch (error) {
      this.destroy(error as Error)
      return
    }
    this.#isWaitingForPermit = false
    if (this.destroyed) return
    this.push(greeting)
    if (this.#ending) this.#finish(this.#ending.error)
  }

  #hold(chunk: Buffer): void {
    this.#held.push(...this.#splitter.split(chunk))
    if (this.#held.length >= MAX_HELD_RECORDS) this.#socket.pause()
    if (!this.#isDelivering) void this.#deliver()
  }

  // mariadb throws at an end that comes together with the OK, so it gets the next record after it has read the last.
  async #deliver(): Promise<void> {
    this.#isDelivering = true
    for (let record = this.#held.shift(); record; record = this.#held.shift()) {
      this.push(record)
      await nextIteration()
    }
    this.#isDelivering = false
    if (this.#ending) this.#finish(this.#ending.error)
    else this.#socket.resume()
  }

  /** Ends the connection, once mariadb has the bytes that came before the end. */
  #end(error?: Error): void {
    this.#ending ??= { error }
    if (!this.#isDelivering && !this.#isWaitingForPermit) this.#finish(this.#ending.error)
  }

  #finish(error: Error | undefined): void {
    if (this.#isSecured) this.breakOff(error)
    else if (error) this.destroy(error)
    else this.push(null)
  }
}

/** Returns the error for a server that mariadb does not understand, in the shape of Node's own network errors. */
export function unreadable(cause: unknown): Error {
  const error = new Error('The server does not speak the MySQL protocol.', { cause })
  return Object.assign(error, { code: 'EPROTO', syscall: 'read' })
}
