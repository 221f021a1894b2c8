import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type Address, GreetingGuard } from '@aurora-iam/core'

/**
 * What mariadb is given for a socket. It is not prepared for what may be at the other end: before TLS it reads on behind
 * the greeting, and throws where nobody catches at a greeting that it cannot read; and it takes away the listeners of a
 * TLS socket whose error is still to come, so that a connection that breaks off in the middle of TLS would end the
 * process. Here the former is an error of this stream, and the latter its end, before the TLS socket hears of it.
 */
export class ServerStream extends Duplex {
  readonly #socket = new Socket()
  readonly #guard = new GreetingGuard()
  #isSecured = false

  constructor(address: Address) {
    super({ allowHalfOpen: false })
    this.#socket.on('data', (chunk) => this.#receive(chunk))
    this.#socket.on('end', () => this.#end())
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.destroy())
    this.#socket.once('connect', () => this.emit('connect'))
    // As options of `connect` they would not be heeded, and each query would wait 40 ms for an acknowledgement.
    this.#socket.setNoDelay(true).setKeepAlive(true).connect(address)
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

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'data' || this.#isSecured) return super.emit(event, ...args)
    try {
      return super.emit(event, ...args)
    } catch (error) {
      this.#fail(unreadable(error))
      return true
    }
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    // Its error is also told by the socket's `error` event, to which this stream attends.
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
    const refusal = this.#isSecured ? undefined : this.#guard.check(chunk)
    if (refusal) this.#fail(refusal)
    else if (!this.push(chunk)) this.#socket.pause()
  }

  #end(): void {
    if (this.#isSecured) this.#breakOff()
    else this.push(null)
  }

  #fail(error: Error): void {
    if (this.#isSecured) this.#breakOff()
    else this.destroy(error)
  }

  // An error would come out a second time, uncaught, of the TLS socket; but mariadb listens for the end of this stream.
  #breakOff(): void {
    if (this.destroyed) return
    this.emit('end')
    this.destroy()
  }
}

/** In the shape of Node's own errors of the network. */
function unreadable(cause: unknown): Error {
  const error = new Error('What answers there does not greet as a MySQL server does.', { cause })
  return Object.assign(error, { code: 'EPROTO', syscall: 'read' })
}
