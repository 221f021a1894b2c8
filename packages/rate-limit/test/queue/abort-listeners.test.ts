import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { AbortListeners } from '../../src/queue/abort-listeners.ts'

test('one listener tells every member, in order, and is gone with the last of them', () => {
  const told: string[] = []
  const listeners: AbortListeners<string> = new AbortListeners((member, signal) => {
    told.push(member)
    listeners.delete(signal, member)
  })
  const controller = new AbortController()
  const { signal } = controller
  for (const member of ['a', 'b', 'c']) listeners.add(signal, member)
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  listeners.delete(signal, 'b')
  controller.abort()
  expect(told).toEqual(['a', 'c'])
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('signals do not hear of each other', () => {
  const told: string[] = []
  const listeners = new AbortListeners<string>((member) => told.push(member))
  const [one, two] = [new AbortController(), new AbortController()]
  listeners.add(one.signal, 'one')
  listeners.add(two.signal, 'two')
  two.abort()
  expect(told).toEqual(['two'])
})
