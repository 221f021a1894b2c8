import type { Socket } from 'node:net'
import type { LoginAttempt } from '@aurora-iam/core/adapter'
import type { ConnectionSettings } from '../driver-types.ts'

/** The first connection that has certain settings. */
interface FirstLogin {
  readonly socket: Socket
  /** Undefined once it was taken, or is kept by the ends of its connection. */
  login: LoginAttempt | undefined
}

/**
 * Finds the login that belongs to a connection. mysql2 wraps the socket that it was given in a TLS socket, so they have
 * the settings in common (assumption 2 of `mysql2-internals.ts`). mysql2 < 3.23.3 shares one settings object between
 * the connections of a pool: there the two ends of the TCP connection distinguish them, which costs system calls.
 */
export class PendingLogins {
  readonly #bySettings = new WeakMap<ConnectionSettings, FirstLogin>()
  readonly #byEnds = new Map<string, LoginAttempt>()

  /** Keeps `login` until its connected `socket` closes, or it is taken. */
  add(settings: ConnectionSettings, socket: Socket, login: LoginAttempt): void {
    const first = this.#bySettings.get(settings)
    if (!first) {
      this.#bySettings.set(settings, { socket, login })
      return
    }
    if (first.login && !first.socket.destroyed) this.#addByEnds(first.socket, first.login)
    first.login = undefined
    this.#addByEnds(socket, login)
  }

  /** Returns the login that the TCP connection under `stream` was opened for; undefined once it was taken. */
  take(settings: ConnectionSettings, stream: Socket): LoginAttempt | undefined {
    const first = this.#bySettings.get(settings)
    if (first?.login) {
      const { login } = first
      first.login = undefined
      return login
    }
    const key = endsOf(stream)
    const login = this.#byEnds.get(key)
    this.#byEnds.delete(key)
    return login
  }

  #addByEnds(socket: Socket, login: LoginAttempt): void {
    const key = endsOf(socket)
    this.#byEnds.set(key, login)
    socket.once('close', () => {
      if (this.#byEnds.get(key) === login) this.#byEnds.delete(key)
    })
  }
}

function endsOf(socket: Socket): string {
  return `${socket.localAddress}|${socket.localPort}|${socket.remoteAddress}|${socket.remotePort}`
}
