/** Steps that close things at the end, last opened first. Node 20 has no AsyncDisposableStack. */
export class CleanUp implements AsyncDisposable {
  readonly #steps: Array<() => unknown> = []

  /** Adds a step. */
  defer(step: () => unknown): void {
    this.#steps.push(step)
  }

  /** Runs every step, also after one that failed, and throws the first error. */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = []
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
