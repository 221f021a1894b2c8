import { expect, test } from 'vitest'
import { createRateLimiter } from '../../src/index.ts'
import { SimulatedClock } from '../simulated-clock.ts'

test('a dry run: all is granted at once, and what would have waited is counted', async () => {
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 20, clock, dryRun: true, maxQueue: 0 })
  const permits = await Promise.all(Array.from({ length: 50 }, () => limiter.acquire()))
  expect(permits.every(({ waitedMs }) => waitedMs === 0)).toBe(true)
  expect(limiter.stats()).toMatchObject({
    granted: 50,
    inFlight: 50,
    available: 0,
    waiting: 0,
    dryRunDelayed: 30,
    longestWaitMs: 2000,
  })
})

test('a dry run above the limit: the reported wait grows', async () => {
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 1, intervalMs: 100, clock, dryRun: true })
  for (let second = 0; second < 5; second++) {
    for (const permit of [await limiter.acquire(), await limiter.acquire()]) permit.release()
    await clock.advance(100)
  }
  expect(limiter.stats()).toMatchObject({ dryRunDelayed: 9, longestWaitMs: 500 })
})

test('a dry run within the limit: no wait is reported', async () => {
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 2, clock, dryRun: true })
  for (let attempt = 0; attempt < 6; attempt++) {
    ;(await limiter.acquire()).release()
    await clock.advance(500)
  }
  expect(limiter.stats()).toMatchObject({ granted: 6, dryRunDelayed: 0, longestWaitMs: 0 })
})

test('a limit that is lowered: requests are delayed by the new one', async () => {
  const limiter = createRateLimiter({ limit: 5, dryRun: true, clock: new SimulatedClock() })
  for (let count = 0; count < 5; count++) await limiter.acquire()
  expect(limiter.stats().dryRunDelayed).toBe(0)
  limiter.lower(2)
  await limiter.acquire()
  expect(limiter.stats()).toMatchObject({ dryRunDelayed: 1, longestWaitMs: 1_000 })
})
