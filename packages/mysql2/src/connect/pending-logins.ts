import type { Socket } from 'node:net'
import type { LoginAttempt } from '@aurora-iam/core/adapter'

/**
 * Finds the login that belongs to a connection. mysql2 wraps the socket that it was given in a TLS socket and,
 * before 3.23.3, shares one settings object between the connections of a pool: the two ends of the TCP connection
 * are what both sockets have in common in every version.
 */
export class PendingLogins {
  readonly #logins = new Map<string, LoginAttempt>()

  /** Keeps `login` until its connected `socket` closes, or it is taken. */
  add(socket: Socket, login: LoginAttempt): void {
    const key = endsOf(socket)
    this.#logins.set(key, login)
    socket.once('close', () => {
      if (this.#logins.get(key) === login) this.#logins.delete(key)
    })
  }

  /** The login that the TCP connection under `socket` was opened for; undefined once it has been taken. */
  take(socket: Socket): LoginAttempt | undefined {
    const key = endsOf(socket)
    const login = this.#logins.get(key)
    this.#logins.delete(key)
    return login
  }
}

function endsOf(socket: Socket): string {
  return `${socket.localAddress}|${socket.localPort}|${socket.remoteAddress}|${socket.remotePort}`
}
