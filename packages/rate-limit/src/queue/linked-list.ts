/** A value's place in a {@link LinkedList}. */
export interface ListNode<T> {
  readonly value: T
  previous: ListNode<T> | undefined
  next: ListNode<T> | undefined
}

/** A queue whose members may also leave from the middle, each step in constant time. */
export class LinkedList<T> {
  #first: ListNode<T> | undefined
  #last: ListNode<T> | undefined
  #length = 0

  get length(): number {
    return this.#length
  }

  get first(): T | undefined {
    return this.#first?.value
  }

  push(value: T): ListNode<T> {
    const node: ListNode<T> = { value, previous: this.#last, next: undefined }
    if (this.#last === undefined) this.#first = node
    else this.#last.next = node
    this.#last = node
    this.#length += 1
    return node
  }

  shift(): T | undefined {
    const node = this.#first
    if (node !== undefined) this.remove(node)
    return node?.value
  }

  /** Takes out a node of this list. Each node may be removed once only. */
  remove(node: ListNode<T>): void {
    if (node.previous === undefined) this.#first = node.next
    else node.previous.next = node.next
    if (node.next === undefined) this.#last = node.previous
    else node.next.previous = node.previous
    this.#length -= 1
  }

  /** Visits the values in order. Values may leave meanwhile: one that left keeps its link to those behind it. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let node = this.#first; node !== undefined; node = node.next) yield node.value
  }
}
