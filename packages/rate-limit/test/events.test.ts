import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, onTestFinished, test } from 'vitest'
import { publish } from '../src/events.ts'
import { createRateLimiter, type RateLimitEvents } from '../src/index.ts'
import { SimulatedClock } from './simulated-clock.ts'

function listen(name: keyof RateLimitEvents): unknown[] {
  const messages: unknown[] = []
  const listener = (message: unknown) => messages.push(message)
  subscribe(name, listener)
  onTestFinished(() => {
    unsubscribe(name, listener)
  })
  return messages
}

test('waits, grants, throttling and lowering can be followed', async () => {
  const waiting = listen('aurora-iam:rate-limit:waiting')
  const granted = listen('aurora-iam:rate-limit:granted')
  const throttled = listen('aurora-iam:rate-limit:throttled')
  const lowered = listen('aurora-iam:rate-limit:lowered')
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 2, clock })
  ;(await limiter.acquire()).release()
  ;(await limiter.acquire()).release('throttled')
  const waited = limiter.acquire()
  await clock.runOut()
  await waited
  limiter.lower(1)
  expect(waiting).toEqual([{ key: undefined, waiting: 1 }])
  expect(granted).toEqual([
    { key: undefined, waitedMs: 0, waiting: 0 },
    { key: undefined, waitedMs: 0, waiting: 0 },
    { key: undefined, waitedMs: 1002, waiting: 0 },
  ])
  expect(throttled).toEqual([{ key: undefined, effectiveLimit: 1 }])
  expect(lowered).toEqual([{ key: undefined, from: 2, to: 1 }])
})

test('a message is not even made when nobody listens', () => {
  publish('aurora-iam:rate-limit:lowered', () => {
    throw new Error('made for nobody')
  })
})
