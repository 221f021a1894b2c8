/** Something with a last moment, which also remembers its place in the heap. */
export interface Expiring {
  /** Milliseconds on the limiter's clock. */
  readonly deadline: number
  /** Kept by the heap. */
  heapIndex: number
}

/** Finds the earliest deadline among many whose waits differ, so that one timer serves them all. */
export class DeadlineHeap<T extends Expiring> {
  readonly #items: T[] = []

  get first(): T | undefined {
    return this.#items[0]
  }

  add(item: T): void {
    this.#items.push(item)
    this.#rise(item, this.#items.length - 1)
  }

  remove(item: T): void {
    const last = this.#items.pop() as T
    if (last === item) return
    const parent = this.#items[(item.heapIndex - 1) >> 1]
    if (parent !== undefined && last.deadline < parent.deadline) {
      this.#rise(last, item.heapIndex)
    } else {
      this.#sink(last, item.heapIndex)
    }
  }

  #rise(item: T, from: number): void {
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#items[parentIndex] as T
      if (parent.deadline <= item.deadline) break
      this.#place(parent, index)
      index = parentIndex
    }
    this.#place(item, index)
  }

  #sink(item: T, from: number): void {
    let index = from
    for (;;) {
      const left = 2 * index + 1
      const right = left + 1
      const leftItem = this.#items[left]
      if (leftItem === undefined) break
      const rightItem = this.#items[right]
      const useRight = rightItem !== undefined && rightItem.deadline < leftItem.deadline
      const child = useRight ? rightItem : leftItem
      if (item.deadline <= child.deadline) break
      this.#place(child, index)
      index = useRight ? right : left
    }
    this.#place(item, index)
  }

  #place(item: T, index: number): void {
    this.#items[index] = item
    item.heapIndex = index
  }
}
