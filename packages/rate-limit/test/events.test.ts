import { recordEvents } from '@aurora-iam/test-support/record-events'
import { expect, test } from 'vitest'
import { publish } from '../src/events.ts'
import { createRateLimiter, type PermitEvent } from '../src/index.ts'
import { SimulatedClock } from './simulated-clock.ts'

test('requests that wait, throttling and lowering: one event each', async () => {
  const waiting = recordEvents('aurora-iam:rate-limit:waiting')
  const throttled = recordEvents('aurora-iam:rate-limit:throttled')
  const lowered = recordEvents('aurora-iam:rate-limit:lowered')
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 2, clock })
  ;(await limiter.acquire()).release()
  ;(await limiter.acquire()).release('throttled')
  const waited = limiter.acquire()
  await clock.runOut()
  await waited
  limiter.lower(1)
  expect(waiting).toEqual([{ key: undefined, lane: 'live', waiting: 1 }])
  expect(throttled).toEqual([{ key: undefined, effectiveLimit: 1 }])
  expect(lowered).toEqual([{ key: undefined, from: 2, to: 1 }])
})

test('each permit: one event when it is granted and one when it ends, with its id', async () => {
  const events = recordEvents('aurora-iam:rate-limit:permit') as PermitEvent[]
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 5, clock, permitTtlMs: 5000 })
  const [released, cancelled, lost] = [
    await limiter.acquire(),
    await limiter.acquire({ lane: 'background' }),
    await limiter.acquire(),
  ]
  await clock.advance(30)
  released.release('failed')
  cancelled.cancel()
  await clock.advance(5000)
  limiter.stats()
  const granted = { type: 'granted', key: undefined, waitedMs: 0, waiting: 0 }
  expect(events).toEqual([
    { ...granted, id: released.id, lane: 'live' },
    { ...granted, id: cancelled.id, lane: 'background' },
    { ...granted, id: lost.id, lane: 'live' },
    { type: 'released', key: undefined, id: released.id, outcome: 'failed', heldMs: 30 },
    { type: 'cancelled', key: undefined, id: cancelled.id, heldMs: 30 },
    { type: 'expired', key: undefined, id: lost.id, heldMs: 5000 },
  ])
})

test('a permit that its holder lost: found from the events alone', async () => {
  const events = recordEvents('aurora-iam:rate-limit:permit') as PermitEvent[]
  const limiter = createRateLimiter({ limit: 20, clock: new SimulatedClock() })
  const permits = await Promise.all(Array.from({ length: 10 }, () => limiter.acquire()))
  for (const permit of permits) if (permit !== permits[6]) permit.release()
  const open = new Set<string>()
  for (const { type, id } of events) {
    if (type === 'granted') open.add(id)
    else open.delete(id)
  }
  expect([...open]).toEqual([permits[6]!.id])
})

test('no subscriber: no message is built', () => {
  publish('aurora-iam:rate-limit:lowered', () => {
    throw new Error('built without a subscriber')
  })
})
