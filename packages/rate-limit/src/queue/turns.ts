import { LinkedList, type ListNode } from './linked-list.ts'

/** A member of {@link Turns}, which keeps its position here. */
export interface TurnMember {
  /** Members of one group are served in order of arrival. */
  readonly group: object
  position: ListNode<TurnMember> | undefined
}

interface Group {
  readonly key: object
  readonly members: LinkedList<TurnMember>
  position: ListNode<Group> | undefined
}

/** Queue in which groups take turns: a small group behind a large one waits for a few members, not for all of them. */
export class Turns<T extends TurnMember> {
  readonly #groups = new Map<object, Group>()
  readonly #rotation = new LinkedList<Group>()
  #length = 0

  get length(): number {
    return this.#length
  }

  /** The member whose turn it is. */
  get first(): T | undefined {
    return this.#rotation.first?.members.first as T | undefined
  }

  add(member: T): void {
    let group = this.#groups.get(member.group)
    if (group === undefined) {
      group = { key: member.group, members: new LinkedList(), position: undefined }
      this.#groups.set(group.key, group)
      group.position = this.#rotation.push(group)
    }
    member.position = group.members.push(member)
    this.#length += 1
  }

  /** Takes out the member whose turn it is, and passes the turn to the next group. */
  shift(): T | undefined {
    const group = this.#rotation.shift()
    if (group === undefined) return undefined
    const first = group.members.first as T
    group.position = this.#rotation.push(group)
    this.remove(first)
    return first
  }

  /** Removes a member out of order. */
  remove(member: T): void {
    const group = this.#groups.get(member.group) as Group
    group.members.remove(member.position as ListNode<TurnMember>)
    member.position = undefined
    this.#length -= 1
    if (group.members.length > 0) return
    this.#groups.delete(group.key)
    this.#rotation.remove(group.position as ListNode<Group>)
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (const { members } of this.#rotation) for (const member of members) yield member as T
  }
}
