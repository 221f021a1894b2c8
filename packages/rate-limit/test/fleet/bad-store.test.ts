import { recordEvents } from '@aurora-iam/test-support/record-events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  createRateLimiter,
  type FleetEngine,
  fleetStore,
  type RateLimiterOptions,
  StoreConflictError,
} from '../../src/index.ts'
import { SimulatedClock } from '../simulated-clock.ts'

let clock: SimulatedClock

beforeEach(() => {
  clock = new SimulatedClock()
  clock.driveWallClock()
})

afterEach(() => {
  vi.restoreAllMocks()
})

function limiterOf(engine: FleetEngine, options: Partial<RateLimiterOptions> = {}) {
  return createRateLimiter({ limit: 8, intervalMs: 200, clock, store: fleetStore(engine), ...options })
}

const no: FleetEngine = { step: () => Promise.reject(new Error('No.')) }

test.each<[string, FleetEngine]>([
  ['rejects', no],
  [
    'throws',
    {
      step: () => {
        throw 'no error'
      },
    },
  ],
  ['never answers', { step: () => new Promise(() => {}) }],
  ['answers nothing', { step: async () => null }],
  ['answers a text', { step: async () => 'OK' }],
  ['answers half', { step: async () => [1, 2, 3] }],
  ['answers numbers that are none', { step: async () => [Number.NaN, ...Array(14).fill(1)] }],
  ['answers a limit of nothing', { step: async () => Array(15).fill(0) }],
])('a store that %s: a process goes on with its share, once others must have noticed', async (_, engine) => {
  const limiter = limiterOf(engine, { share: { processes: 4 } })
  const permits = Promise.all([limiter.acquire(), limiter.acquire()])
  const third = limiter.acquire()
  await clock.advance(2500)
  expect(limiter.stats()).toMatchObject({ granted: 0, processes: 4 })
  await clock.advance(5000)
  expect(limiter.stats()).toMatchObject({
    storeLost: true,
    limit: 8,
    effectiveLimit: 2,
    available: 0,
    inFlight: 2,
    waiting: 1,
    processes: 4,
  })
  for (const permit of await permits) permit.release()
  // Within the patience for a request that is under way.
  await clock.advance(3000)
  expect((await third).isLapsed).toBe(false)
  limiter.close()
})

test('fail-closed: the wait ends with the store’s error as the cause, and an event reports it', async () => {
  const lost = recordEvents('aurora-iam:rate-limit:store-lost')
  const error = new Error('NOPERM this user has no permissions')
  const limiter = limiterOf({ step: () => Promise.reject(error) }, { onStoreLost: 'fail-closed' })
  const request = limiter.acquire({ timeoutMs: 20_000 })
  const ended = Promise.allSettled([request])
  await clock.advance(20_000)
  await ended
  await expect(request).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_STORE_LOST',
    retryable: true,
    cause: error,
    message: expect.stringContaining('NOPERM'),
  })
  expect(limiter.stats()).toMatchObject({ granted: 0, effectiveLimit: 0, storeLost: true })
  expect(lost).toEqual([{ key: undefined, error, onStoreLost: 'fail-closed', limit: 0 }])
})

test('fail-open: a process goes on with the whole limit, at once', async () => {
  const limiter = limiterOf(no, { onStoreLost: 'fail-open' })
  const permits = Promise.all(Array.from({ length: 8 }, () => limiter.acquire()))
  const ninth = limiter.acquire()
  await clock.advance(0)
  expect((await permits).map(({ waitedMs }) => waitedMs)).toEqual(Array(8).fill(0))
  expect(limiter.stats()).toMatchObject({ inFlight: 8, waiting: 1 })
  for (const permit of await permits) permit.release()
  await clock.advance(202)
  expect(await ninth).toMatchObject({ waitedMs: 202 })
})

test('a key that holds something else: nothing is granted, whatever onStoreLost is', async () => {
  const step = () => Promise.reject(new StoreConflictError('The key is in use.'))
  const limiter = limiterOf({ step }, { onStoreLost: 'fail-open' })
  const request = limiter.acquire({ timeoutMs: 20_000 })
  const ended = Promise.allSettled([request])
  await clock.advance(20_000)
  await ended
  await expect(request).rejects.toMatchObject({ code: 'ERR_RATE_LIMIT_STORE_LOST' })
  expect(limiter.stats()).toMatchObject({ granted: 0, effectiveLimit: 0 })
})
