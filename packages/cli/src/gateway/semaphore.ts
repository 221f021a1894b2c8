/** A limited number of places. Who finds none waits in a queue. */
export class Places {
  #free: number
  readonly #queue = new Set<() => void>()

  constructor(places: number) {
    this.#free = places
  }

  /**
   * Waits for a place, or until `signal` aborts.
   *
   * @returns the function that frees the place; further calls of it do nothing
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1
    else if (!(await this.#waits(signal))) return () => {}
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      const [next] = this.#queue
      if (next === undefined) this.#free += 1
      else next()
    }
  }

  /** Resolves to whether there is a place. */
  #waits(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (hasPlace: boolean): void => {
        this.#queue.delete(take)
        signal.removeEventListener('abort', abort)
        resolve(hasPlace)
      }
      const take = (): void => settle(true)
      const abort = (): void => settle(false)
      this.#queue.add(take)
      signal.addEventListener('abort', abort)
      if (signal.aborted) abort()
    })
  }
}
