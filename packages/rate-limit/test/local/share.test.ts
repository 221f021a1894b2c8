import { expect, test, vi } from 'vitest'
import { createRateLimiter } from '../../src/index.ts'
import { shareOf } from '../../src/local/local-permits.ts'
import { SimulatedClock } from '../simulated-clock.ts'

test.each([
  [20, 1, 20, 1000],
  [20, 4, 5, 1000],
  [20, 3, 6, 1000],
  [20, 20, 1, 1000],
  [20, 300, 1, 15_000],
])(
  'a limit of %d a second, shared by %d processes: each has %d per %d ms',
  (limit, processes, own, intervalMs) => {
    expect(shareOf({ limit, intervalMs: 1000 }, processes)).toEqual({ limit: own, intervalMs })
  },
)

test('a process with a share: it grants its part, the first permit within one interval of its start', async () => {
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 20, share: { processes: 4 }, clock })
  expect(limiter.stats()).toMatchObject({ limit: 5, processes: 4, available: 0 })
  const permits = Promise.all(Array.from({ length: 6 }, () => limiter.acquire()))
  await clock.advance(1001)
  expect(limiter.stats()).toMatchObject({ granted: 5, waiting: 1 })
  limiter.close()
  await expect(permits).rejects.toMatchObject({ code: 'ERR_RATE_LIMIT_CLOSED' })
})

test('processes of one share that start together: each opens at a random instant of the first interval', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 20, share: { processes: 4 }, clock })
  const permit = limiter.acquire()
  await clock.advance(499)
  expect(limiter.stats()).toMatchObject({ granted: 0, available: 0 })
  await clock.advance(1)
  // One is granted of five.
  expect(limiter.stats()).toMatchObject({ granted: 1, available: 4, storeLost: false })
  expect(await permit).toMatchObject({ waitedMs: 500 })
  vi.restoreAllMocks()
})

test('a limit that is lowered later: divided as well', () => {
  const limiter = createRateLimiter({ limit: 20, share: { processes: 4 } })
  limiter.lower(8)
  expect(limiter.limit).toBe(2)
})

test('a limit that is lowered below one permit per process: each has one, in a longer interval', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0)
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 4, share: { processes: 4 }, clock })
  limiter.lower(2)
  ;(await limiter.acquire()).release()
  const next = limiter.acquire()
  await clock.advance(2_001)
  expect(limiter.stats().granted).toBe(1)
  await clock.advance(1)
  expect(await next).toMatchObject({ waitedMs: 2_002 })
  vi.restoreAllMocks()
})

test('a full queue before a share opens: the estimate counts the rounds that are before the request', async () => {
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 20, share: { processes: 4 }, maxQueue: 6, clock })
  const ended = Promise.allSettled(Array.from({ length: 6 }, () => limiter.acquire()))
  await expect(limiter.acquire()).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_QUEUE_FULL',
    retryAfterMs: 1_002,
  })
  limiter.close()
  await ended
})

test('maxInFlight: no more attempts at once, even if more permits are free', async () => {
  const limiter = createRateLimiter({ limit: 20, maxInFlight: 2 })
  const permits = [await limiter.acquire(), await limiter.acquire()]
  const third = limiter.acquire()
  expect(limiter.stats()).toMatchObject({ inFlight: 2, waiting: 1 })
  permits[0]!.release()
  await expect(third).resolves.toBeDefined()
})
