import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, TLSSocket } from 'node:tls'
import { type Certificates, createCertificates } from '@aurora-iam/test-support/certificates'
import { encodePacket } from '@aurora-iam/wire'

/** Header and payload of the packet with which a client asks for TLS. */
export const SSL_REQUEST_BYTES = 36

/** The certificates that a server can show; only `valid` is one to trust. */
export type CertificateName = Exclude<keyof Certificates, 'ca'>

/** Behaviour of the server on one connection. It may go on until the connection is over. */
export type Script = (session: HostileSession) => void | Promise<void>

/** One connection, with what arrived on it. */
export class HostileSession {
  /** The certificate shown, once TLS was asked for. */
  certificate: CertificateName | undefined
  /** True once TLS is established. */
  isSecure = false
  readonly #socket: Socket
  readonly #certificates: Certificates
  #stream: Duplex
  #clear = Buffer.alloc(0)
  #inTls = Buffer.alloc(0)

  constructor(socket: Socket, certificates: Certificates) {
    this.#socket = socket
    this.#stream = socket
    this.#certificates = certificates
    socket.setNoDelay(true)
    this.#listen()
  }

  /** Bytes that the client sent outside of TLS; its TLS records too, where the script never began TLS. */
  get clear(): Buffer {
    return this.#clear
  }

  /** Bytes that the client sent inside TLS. */
  get inTls(): Buffer {
    return this.#inTls
  }

  /** True once the connection is over. */
  get closed(): boolean {
    return this.#socket.destroyed || this.#stream.destroyed
  }

  /** Sends bytes unchanged. */
  send(bytes: Uint8Array): void {
    if (!this.#stream.destroyed) this.#stream.write(bytes)
  }

  /** Sends bytes outside of TLS, between its records. */
  sendInClear(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Sends one packet. */
  sendPacket(sequence: number, payload: Uint8Array): void {
    this.send(encodePacket({ sequence, payload: Buffer.from(payload) }))
  }

  /** Waits until the client has sent `count` bytes inside TLS, or outside before TLS; false: it left before. */
  async hasSent(count: number): Promise<boolean> {
    const stream = this.#stream
    const sent = () => (stream === this.#socket ? this.#clear : this.#inTls).length
    while (sent() < count && !stream.destroyed) {
      await Promise.race([once(stream, 'data'), once(stream, 'close')]).catch(() => {})
    }
    return sent() >= count
  }

  /** Waits for the request for TLS and begins it; false: the client left, or takes no such certificate. */
  async startTls(certificate: CertificateName): Promise<boolean> {
    if (!(await this.hasSent(SSL_REQUEST_BYTES))) return false
    this.certificate = certificate
    const hello = this.#clear.subarray(SSL_REQUEST_BYTES)
    this.#clear = this.#clear.subarray(0, SSL_REQUEST_BYTES)
    this.#socket.removeAllListeners('data').pause()
    if (hello.length > 0) this.#socket.unshift(hello)
    const secureContext = createSecureContext(this.#certificates[certificate])
    this.#stream = new TLSSocket(this.#socket, { isServer: true, secureContext })
    this.#listen()
    const secure = once(this.#stream, 'secure').then(() => {
      this.isSecure = true
    })
    await Promise.race([secure, once(this.#stream, 'close')]).catch(() => {})
    return !this.#stream.destroyed
  }

  /** Lets the client talk to the good server at `port`, which may say `bytes` bytes before the connection breaks. */
  relay(port: number, bytes = Number.POSITIVE_INFINITY): void {
    let left = bytes
    const upstream = connect(port, '127.0.0.1')
    upstream.on('error', () => {})
    this.#socket.pipe(upstream)
    upstream.on('data', (chunk: Buffer) => {
      this.#socket.write(chunk.subarray(0, Math.max(0, left)))
      left -= chunk.length
      if (left <= 0) this.end()
    })
    upstream.once('close', () => this.#socket.destroy())
    this.#socket.once('close', () => upstream.destroy())
  }

  /** Sends a byte that only a client who has closed its end answers: by breaking the connection. */
  probe(): void {
    if (this.#stream.readableEnded && this.#stream.writable) this.#stream.write('.')
  }

  /** Says no more; what the client says is still heard. */
  end(): void {
    this.#stream.end()
  }

  /** Breaks the connection. */
  destroy(): void {
    this.#socket.destroy()
  }

  #listen(): void {
    const stream = this.#stream
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => {
      if (stream === this.#socket) this.#clear = Buffer.concat([this.#clear, chunk])
      else this.#inTls = Buffer.concat([this.#inTls, chunk])
    })
  }
}

/** A database server on loopback that does to each client what its script says, and keeps what it was sent. */
export class HostileServer implements AsyncDisposable {
  /** Behaviour on the connections from now on. */
  script: Script = (session) => session.destroy()
  readonly certificates: Certificates
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #sessions: HostileSession[] = []

  /** Use {@link startHostileServer}. */
  constructor(certificates: Certificates) {
    this.certificates = certificates
    // A client that ends its side is not let go for that.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Number of clients that have not closed their connection. */
  get openConnections(): number {
    return this.#sockets.size
  }

  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
  }

  /** Takes out the connections that there have been since the last time. */
  takeSessions(): HostileSession[] {
    return this.#sessions.splice(0)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#server.close(), 'close')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    const session = new HostileSession(socket, this.certificates)
    this.#sessions.push(session)
    void Promise.resolve(this.script(session)).catch((error) => socket.destroy(error))
  }
}

/** @param hostname - What the certificates are for. */
export async function startHostileServer(hostname: string): Promise<HostileServer> {
  const server = new HostileServer(await createCertificates(hostname))
  await server.listen()
  return server
}
