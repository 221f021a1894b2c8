interface Group<T> {
  readonly members: Set<T>
  readonly listener: () => void
}

/**
 * Shares one listener on an `AbortSignal` among many members. A listener each would cost quadratic time when they
 * leave, and Node would warn of a leak at the eleventh.
 */
export class AbortListeners<T> {
  readonly #groups = new Map<AbortSignal, Group<T>>()
  readonly #onAbort: (members: Iterable<T>, signal: AbortSignal) => void

  /**
   * @param onAbort - is called with the members of an aborted signal, in the order they were added. Members may be
   * deleted while it iterates.
   */
  constructor(onAbort: (members: Iterable<T>, signal: AbortSignal) => void) {
    this.#onAbort = onAbort
  }

  add(signal: AbortSignal, member: T): void {
    const group = this.#groups.get(signal)
    if (group !== undefined) {
      group.members.add(member)
      return
    }
    const members = new Set([member])
    const listener = () => this.#onAbort(members, signal)
    this.#groups.set(signal, { members, listener })
    signal.addEventListener('abort', listener)
  }

  /** Takes out a member that was added for this signal. */
  delete(signal: AbortSignal, member: T): void {
    const group = this.#groups.get(signal) as Group<T>
    group.members.delete(member)
    if (group.members.size > 0) return
    this.#groups.delete(signal)
    signal.removeEventListener('abort', group.listener)
  }
}
