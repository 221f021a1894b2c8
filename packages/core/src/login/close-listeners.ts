import type { AuroraIamError } from '../errors.ts'
import { closedError } from '../permit/permit-errors.ts'

type CloseListener = (error: AuroraIamError) => void

/** Listeners for the close of one AuroraIam. */
export class CloseListeners {
  readonly #listeners = new Set<CloseListener>()

  /** Adds a listener. Returns what removes it. */
  add(listener: CloseListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls each listener with a separate error: drivers write to the errors that they pass on. */
  call(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(closedError())
      } catch (error) {
        // A callback of the caller threw. The others are called, and the error is thrown as an event's would be.
        process.nextTick(() => {
          throw error
        })
      }
    }
  }
}
