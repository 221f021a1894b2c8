import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** One login, as the server counted it. */
export interface CountedLogin {
  readonly at: number
  /** Which process it came from. */
  readonly name: string
}

/**
 * A server that greets, takes a login and answers, each after a random while, and counts the logins itself. One beyond
 * `limit` in a sliding `intervalMs` is refused.
 */
export class CountingServer {
  readonly logins: CountedLogin[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(limit: number, intervalMs: number, handshakeMs: number) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
      const later = (text: string) =>
        setTimeout(() => socket.writable && socket.write(text), (Math.random() * handshakeMs) / 2)
      later('hello')
      socket.on('data', (name: Buffer) => {
        const at = performance.now()
        this.logins.push({ at, name: `${name}` })
        const recent = this.logins.filter((login) => login.at > at - intervalMs)
        later(recent.length > limit ? 'refused' : 'welcome')
      })
    })
  }

  static async start(limit: number, intervalMs: number, handshakeMs = 20): Promise<CountingServer> {
    const counting = new CountingServer(limit, intervalMs, handshakeMs)
    counting.#server.listen(0, '127.0.0.1')
    await once(counting.#server, 'listening')
    return counting
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** Returns the most logins in any half-open span of `intervalMs`. */
export function peakTokens(logins: readonly CountedLogin[], intervalMs: number): number {
  let first = 0
  let most = 0
  for (const [last, { at }] of logins.entries()) {
    while (at - (logins[first] as CountedLogin).at >= intervalMs) first += 1
    most = Math.max(most, last - first + 1)
  }
  return most
}

/** Returns Jain's index of the shares: 1 when all names got the same, 1 / n when one got everything. */
export function fairness(logins: readonly CountedLogin[]): number {
  const counts = new Map<string, number>()
  for (const { name } of logins) counts.set(name, (counts.get(name) ?? 0) + 1)
  const values = [...counts.values()]
  const sum = values.reduce((total, value) => total + value, 0)
  return sum ** 2 / (values.length * values.reduce((total, value) => total + value ** 2, 0))
}
