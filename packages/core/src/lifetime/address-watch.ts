import dns from 'node:dns'
import { isIP } from 'node:net'

/** Receives the addresses to which a name leads, as a set of IP addresses. */
export type AddressListener = (addresses: ReadonlySet<string>) => void

/**
 * Watch of the addresses of one host name. It looks the name up at an interval while it has listeners. A look-up that
 * fails changes nothing. The timer does not keep the process alive.
 */
export class AddressWatch {
  readonly #host: string
  readonly #intervalMs: number
  readonly #listeners = new Set<AddressListener>()
  #timer: NodeJS.Timeout | undefined
  #isLookingUp = false

  constructor(host: string, intervalMs: number) {
    this.#host = host
    this.#intervalMs = intervalMs
  }

  /** Adds a listener. Returns a function that removes it. */
  listen(listener: AddressListener): () => void {
    this.#listeners.add(listener)
    this.#schedule()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
  }

  #schedule(): void {
    if (this.#timer || this.#isLookingUp || this.#listeners.size === 0 || isIP(this.#host)) return
    this.#timer = setTimeout(() => this.#lookUp(), this.#intervalMs)
    this.#timer.unref()
  }

  #lookUp(): void {
    this.#timer = undefined
    this.#isLookingUp = true
    // The resolver that `net.connect` uses, so that the answer is the one that a new connection would get.
    dns.lookup(this.#host, { all: true }, (error, answers) => {
      this.#isLookingUp = false
      if (!error && answers.length > 0) {
        const addresses = new Set(answers.map(({ address }) => address))
        for (const listener of [...this.#listeners]) listener(addresses)
      }
      this.#schedule()
    })
  }
}
