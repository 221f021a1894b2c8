/** Counting semaphore. Callers beyond `size` wait in a queue. */
export class Semaphore {
  #free: number
  readonly #queue = new Set<() => void>()

  constructor(size: number) {
    this.#free = size
  }

  /**
   * Waits until fewer than `size` callers are inside, or until `signal` aborts.
   *
   * @returns the function that leaves; further calls of it do nothing
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

  /** Resolves to false if `signal` aborts first. */
  #waits(signal: AbortSignal): Promise<boolean> {
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
    })
  }
}
