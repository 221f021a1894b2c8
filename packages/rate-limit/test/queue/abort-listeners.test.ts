import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { AbortListeners } from '../../src/queue/abort-listeners.ts'

test('an aborted signal: one listener reports every member in order and is removed with the last', () => {
  const told: string[] = []
  const listeners: AbortListeners<string> = new AbortListeners((members, signal) => {
    for (const member of members) {
      told.push(member)
      listeners.delete(signal, member)
    }
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

test('two signals: one abort reports the members of one', () => {
  const told: string[] = []
  const listeners = new AbortListeners<string>((members) => told.push(...members))
  const [one, two] = [new AbortController(), new AbortController()]
  listeners.add(one.signal, 'one')
  listeners.add(two.signal, 'two')
  two.abort()
  expect(told).toEqual(['two'])
})
