/** Time from the greeting after which a client that has not proven its password yields to one that waits. */
const SILENCE_MS = 1_000

/** Client that was greeted and has not proven its password. */
export interface SilentClient {
  /** Closes the connection to the database that was opened for the client: another client gets its place. */
  yieldPlace(): void
  /** Closes the client. */
  close(): void
}

/**
 * Places of the clients that log in. Clients beyond `size` wait in a queue. A client that was greeted and sends nothing
 * keeps no other from its login: its place goes to the first in the queue.
 */
export class LoginPlaces {
  #free: number
  readonly #queue = new Set<() => void>()
  /** Clients that were greeted, the longest silence first, with and without a place. */
  readonly #silent = new Set<LoginPlace>()
  #timer: NodeJS.Timeout | undefined

  constructor(size: number) {
    this.#free = size
  }

  /** Waits until there is a place, or until `signal` aborts: the place is then not held. */
  async enter(signal: AbortSignal): Promise<LoginPlace> {
    return new LoginPlace(this.#links, await this.#waits(signal))
  }

  /** Closes the client that has been silent for the longest time. Returns false if there is none to close. */
  closeSilent(): boolean {
    const [place] = this.#silent
    if (place === undefined || place.silentMs < SILENCE_MS) return false
    this.#silent.delete(place)
    place.client?.close()
    return true
  }

  readonly #links: PlaceLinks = {
    enter: (signal) => this.#waits(signal),
    leave: () => {
      const [next] = this.#queue
      if (next === undefined) this.#free += 1
      else next()
    },
    listen: (place) => {
      this.#silent.add(place)
      this.#yieldPlaces()
    },
    unlisten: (place) => void this.#silent.delete(place),
  }

  /** Resolves to false if `signal` aborts first. */
  #waits(signal: AbortSignal): Promise<boolean> {
    if (this.#free > 0) {
      this.#free -= 1
      return Promise.resolve(true)
    }
    return new Promise((resolve) => {
      const settle = (isInside: boolean): void => {
        this.#queue.delete(take)
        signal.removeEventListener('abort', abort)
        resolve(isInside)
      }
      const take = (): void => settle(true)
      const abort = (): void => settle(false)
      this.#queue.add(take)
      signal.addEventListener('abort', abort)
      if (signal.aborted) abort()
      else this.#yieldPlaces()
    })
  }

  /** Hands the places of silent clients to those that wait, now or when the silence is long enough. */
  #yieldPlaces(): void {
    clearTimeout(this.#timer)
    for (const place of this.#silent) {
      if (this.#queue.size === 0) return
      if (!place.isHeld) continue
      const leftMs = SILENCE_MS - place.silentMs
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#yieldPlaces(), Math.ceil(leftMs)).unref()
        return
      }
      place.leave()
      place.client?.yieldPlace()
    }
  }
}

interface PlaceLinks {
  enter(signal: AbortSignal): Promise<boolean>
  leave(): void
  listen(place: LoginPlace): void
  unlisten(place: LoginPlace): void
}

/** Place of one client that logs in. */
export class LoginPlace {
  readonly #links: PlaceLinks
  #isHeld: boolean
  #client: SilentClient | undefined
  #greetedAt = 0

  constructor(links: PlaceLinks, isHeld: boolean) {
    this.#links = links
    this.#isHeld = isHeld
  }

  /** False once the client has left its place, or another one has it. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** The client that was greeted, until it has proven its password. */
  get client(): SilentClient | undefined {
    return this.#client
  }

  /** Time since the greeting. */
  get silentMs(): number {
    return performance.now() - this.#greetedAt
  }

  /** Reports that the client was greeted. From now on another client can get the place. */
  greet(client: SilentClient): void {
    this.#client = client
    this.#greetedAt = performance.now()
    this.#links.listen(this)
  }

  /** Reports that the client has proven its password. Waits for a place if another client got this one. */
  async keep(signal: AbortSignal): Promise<void> {
    this.#forget()
    if (!this.#isHeld) this.#isHeld = await this.#links.enter(signal)
  }

  /** Leaves the place. Further calls do nothing. */
  leave(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#links.leave()
  }

  /** Ends everything about the client: it has a session, or gets none. */
  end(): void {
    this.#forget()
    this.leave()
  }

  #forget(): void {
    this.#client = undefined
    this.#links.unlisten(this)
  }
}
