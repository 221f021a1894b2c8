import { expect, test } from 'vitest'
import { LinkedList } from '../../src/queue/linked-list.ts'

test('values: they leave in order from the front, and from anywhere by their node', () => {
  const list = new LinkedList<number>()
  const [first, second, , fourth] = [1, 2, 3, 4].map((value) => list.push(value))
  list.remove(second!)
  expect([...list]).toEqual([1, 3, 4])
  list.remove(fourth!)
  list.remove(first!)
  list.push(5)
  expect([list.length, list.first, list.shift(), list.shift(), list.shift(), list.length]).toEqual([
    2,
    3,
    3,
    5,
    undefined,
    0,
  ])
})

test('a visit: the visited value may leave', () => {
  const list = new LinkedList<number>()
  const nodes = new Map([1, 2, 3].map((value) => [value, list.push(value)]))
  const visited: number[] = []
  for (const value of list) {
    visited.push(value)
    list.remove(nodes.get(value)!)
  }
  expect([visited, list.length]).toEqual([[1, 2, 3], 0])
})
