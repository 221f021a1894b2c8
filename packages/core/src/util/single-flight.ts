/**
 * Work that runs once for all callers: concurrent callers of one key share one promise. Nothing is
 * kept after it settles, so a failure is never cached.
 */
export class SingleFlight<Key, Value> {
  readonly #pending = new Map<Key, Promise<Value>>()

  /** Returns the promise of the work that runs for `key`; undefined when none runs. */
  pending(key: Key): Promise<Value> | undefined {
    return this.#pending.get(key)
  }

  /**
   * Returns the promise of the work that runs for `key`, or starts `work`.
   *
   * @param work - its argument returns false after {@link forget}: the result is then for its own callers alone
   */
  run(key: Key, work: (isCurrent: () => boolean) => Promise<Value>): Promise<Value> {
    const pending = this.#pending.get(key)
    if (pending) return pending
    const isCurrent = () => this.#pending.get(key) === running
    const running: Promise<Value> = work(isCurrent).finally(() => {
      if (isCurrent()) this.#pending.delete(key)
    })
    this.#pending.set(key, running)
    return running
  }

  /** Makes the next caller of `key` start new work. Callers that wait already keep their promise. */
  forget(key: Key): void {
    this.#pending.delete(key)
  }

  /** Forgets every key. */
  clear(): void {
    this.#pending.clear()
  }
}
