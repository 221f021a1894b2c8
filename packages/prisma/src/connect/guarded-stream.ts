import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Address } from '@aurora-iam/core'
import { GreetingGuard } from '@aurora-iam/core/adapter'
import { TlsRecords } from './tls-record-splitter.ts'

/**
 * What mariadb is given for a socket. It is not prepared for what may be at the other end: before TLS it reads on behind
 * the greeting; it throws where nobody catches at what it cannot read, and at an end when it expects none; and it takes
 * away the listeners of a TLS socket whose error is still to come. Each of these would end the process. Here all of it is
 * an error of this stream before TLS, and from then on told to mariadb alone, behind the back of its TLS socket.
 */
export class ServerStream extends Duplex {
  readonly #socket = new Socket()
  readonly #guard = new GreetingGuard()
  readonly #records = new TlsRecords()
  #isSecured = false
  #isDelivering = false
  #isBroken = false
  /** Whether somebody listens for errors of the connection that mariadb made of this stream. */
  isAttended = false

  constructor(address: Address) {
    super({ allowHalfOpen: false })
    this.#socket.on('data', (chunk) => this.#receive(chunk))
    this.#socket.on('end', () => (this.#isSecured ? this.breakOff() : this.push(null)))
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#isBroken || this.destroy())
    this.#socket.once('connect', () => this.emit('connect'))
    // As options of `connect` they would not be heeded, and each query would wait 40 ms for an acknowledgement.
    this.#socket.setNoDelay(true).setKeepAlive(true).connect(address)
  }

  /** Whether the connection is over, which mariadb does not notice between the server's OK and its own last step. */
  get isBroken(): boolean {
    return this.#isBroken || this.destroyed
  }

  /** Ends the connection at once. mariadb hears of `error`, and makes one of its own if there is none. */
  breakOff(error?: Error): void {
    if (this.isBroken) return
    this.#isBroken = true
    this.#socket.destroy()
    // Its listener was there before that of the TLS socket, and takes what comes with the end for the reason.
    const [tellMariadb] = this.listeners('end')
    try {
      tellMariadb?.call(this, error)
    } catch {
      // It had nobody to tell. Whoever opens the connection finds it broken.
    }
  }

  /** As of a net.Socket, for mariadb. */
  setTimeout(timeoutMs: number, listener?: () => void): this {
    this.#socket.setTimeout(timeoutMs, listener)
    return this
  }

  /** mariadb takes away its own listener once TLS has begun; that of the TLS socket must stay. */
  override removeAllListeners(event?: string | symbol): this {
    if (event !== 'data') return super.removeAllListeners(event)
    this.#isSecured = true
    const [own] = this.listeners('data')
    return own ? this.removeListener('data', own as () => void) : this
  }

  // The TLS socket reads while this stream emits, so what mariadb throws at its bytes passes by here as well.
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'data') return super.emit(event, ...args)
    try {
      return super.emit(event, ...args)
    } catch (error) {
      this.#fail(unreadable(error))
      return true
    }
  }

  override _read(): void {
    if (!this.#isDelivering) this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    // Neither is an error told twice, nor that there is nobody to write to: both would come out of the TLS socket.
    if (this.#isBroken) callback()
    else this.#socket.write(chunk, () => callback())
  }

  override _final(callback: () => void): void {
    this.#socket.end(() => callback())
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#socket.destroy()
    callback(error)
  }

  #receive(chunk: Buffer): void {
    if (this.#isSecured && !this.isAttended) return void this.#deliver(this.#records.split(chunk))
    const refusal = this.#isSecured ? undefined : this.#guard.check(chunk)
    if (refusal) this.#fail(refusal)
    else if (!this.push(chunk)) this.#socket.pause()
  }

  // mariadb throws at an end that comes with the OK: it must be done with one record before it sees the next.
  async #deliver(records: readonly Buffer[]): Promise<void> {
    this.#isDelivering = true
    this.#socket.pause()
    for (const record of records) {
      this.push(record)
      await nextTurn()
      if (this.isBroken) return
    }
    this.#isDelivering = false
    this.#socket.resume()
  }

  #fail(error: Error): void {
    if (this.#isSecured) this.breakOff(error)
    else this.destroy(error)
  }
}

/** What mariadb throws at a server that it does not understand, in the shape of Node's own errors of the network. */
export function unreadable(cause: unknown): Error {
  const error = new Error('What answers there does not speak as a MySQL server does.', { cause })
  return Object.assign(error, { code: 'EPROTO', syscall: 'read' })
}
