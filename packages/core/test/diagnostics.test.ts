import { recordEvents } from '@aurora-iam/test-support/record-events'
import { expect, test, vi } from 'vitest'
import { publish } from '../src/diagnostics.ts'

const EVENT = { hostname: 'db', port: 3306, username: 'app', permitId: undefined, durationMs: 1 }

test('no subscriber: the event is not built', () => {
  const build = vi.fn(() => EVENT)
  publish('connect', build)
  expect(build).not.toHaveBeenCalled()
})

test('a subscriber: it gets each event of its channel, and of no other', () => {
  const events = recordEvents('aurora-iam:connect')
  publish('connect', () => EVENT)
  publish('retire', () => ({ hostname: 'db', port: 3306, username: 'app', reason: 'moved' }))
  expect(events).toEqual([EVENT])
})
