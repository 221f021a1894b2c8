import { expect, test } from 'vitest'
import { createRateLimiter, type PermitLane } from '../../src/index.ts'
import { SimulatedClock } from '../simulated-clock.ts'

test('a loop that was blocked: a request that comes before the late timer lets the one that waits go first', async () => {
  const clock = new SimulatedClock(() => 500)
  const limiter = createRateLimiter({ limit: 1, clock })
  ;(await limiter.acquire()).release()
  let isGranted = false
  const waiting = limiter.acquire().then((permit) => {
    isGranted = true
    return permit
  })
  await clock.advance(1_002)
  expect(isGranted).toBe(false)
  expect(limiter.tryAcquire?.()).toBeUndefined()
  expect(await waiting).toMatchObject({ waitedMs: 1_002 })
  expect(limiter.stats()).toMatchObject({ granted: 2, waiting: 0 })
})

test('a loop that was blocked: waits that are over leave the queue to a request that comes before the late timer', async () => {
  const clock = new SimulatedClock(() => 5_000)
  const limiter = createRateLimiter({ limit: 1, clock, maxQueue: 1 })
  ;(await limiter.acquire()).release()
  const late = limiter.acquire({ timeoutMs: 10 })
  const ended = Promise.allSettled([late])
  await clock.advance(10)
  const next = limiter.acquire()
  await ended
  await expect(late).rejects.toMatchObject({ code: 'ERR_RATE_LIMIT_TIMEOUT' })
  await clock.runOut()
  ;(await next).release()
})

/** Makes 10,000 requests of `lane` end at once, with one behind them that waits on, while permits are free. */
async function whileMostEnd(lane: PermitLane) {
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 4, clock, maxQueue: 20_000 })
  const held = await Promise.all(Array.from({ length: 4 }, () => limiter.acquire()))
  const controller = new AbortController()
  const { signal } = controller
  const ended = Promise.allSettled(Array.from({ length: 10_000 }, () => limiter.acquire({ lane, signal })))
  const waiting = limiter.acquire({ lane })
  controller.abort()
  for (const permit of held.slice(1)) permit.cancel()
  return { limiter, waiting, ended }
}

test('live requests that end in slices: none overtakes the one behind them', async () => {
  const { limiter, waiting, ended } = await whileMostEnd('live')
  expect(limiter.tryAcquire?.()).toBeUndefined()
  expect(limiter.tryAcquire?.({ lane: 'background' })).toBeUndefined()
  await ended
  expect(await waiting).toMatchObject({ waitedMs: 0 })
})

test('background requests that end in slices: a live one overtakes them, and no other in the background', async () => {
  const { limiter, waiting, ended } = await whileMostEnd('background')
  expect(limiter.tryAcquire?.({ lane: 'background' })).toBeUndefined()
  expect(limiter.tryAcquire?.()).toBeDefined()
  await ended
  expect(await waiting).toMatchObject({ lane: 'background' })
})
