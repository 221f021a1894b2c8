import { recordEvents } from '@aurora-iam/test-support/record-events'
import { expect, onTestFinished, test } from 'vitest'
import { createRateLimiter, type RateLimiterOptions, redisStore } from '../../src/index.ts'
import { startRedis } from '../redis.ts'

const redis = await startRedis()

let prefixes = 0

function limiterOf(options: Partial<RateLimiterOptions> = {}) {
  const limiter = createRateLimiter({ limit: 20, intervalMs: 200, store: redisStore(redis), ...options })
  onTestFinished(() => limiter.close())
  return limiter
}

function ownStore() {
  return redisStore(redis, { prefix: `test-${prefixes++}` })
}

test('the keys of a limit: one hash tag, a week to live, and no name or token in them', async () => {
  const permit = await limiterOf({ store: redisStore(redis, { prefix: 'tagged' }) }).acquire()
  permit.release()
  const keys = await redis.keys('tagged*')
  const lives = await Promise.all(keys.map((key) => redis.pttl(key)))
  expect(keys.length).toBeGreaterThan(3)
  for (const key of keys) expect(key).toMatch(/^tagged:\{default\}(:[a-z]+)?$/)
  // What is empty by now has gone.
  for (const life of lives) expect(life === -2 || life > 600_000_000).toBe(true)
})

test('the first permit of a key: it waits until all that was lost has ended; the next are granted at once', async () => {
  const limiter = limiterOf({ store: ownStore() })
  const first = await limiter.acquire()
  first.release()
  expect(first.waitedMs).toBeGreaterThan(1690)
  expect((await limiter.acquire()).waitedMs).toBeLessThan(600)
})

test('an unused permit that was given back: free for another process at once', async () => {
  const store = ownStore()
  const [one, other] = [limiterOf({ store, limit: 1 }), limiterOf({ store, limit: 1, intervalMs: 200 })]
  const permit = await one.acquire()
  const next = other.acquire()
  permit.cancel()
  expect((await next).waitedMs).toBeLessThan(2000)
  expect(one.stats()).toMatchObject({ cancelled: 1 })
})

test('two limits on one key: the smaller holds, and the process with the larger gets an event', async () => {
  const lowered = recordEvents('aurora-iam:rate-limit:lowered')
  const store = ownStore()
  const small = limiterOf({ store, limit: 5 })
  await small.acquire()
  const large = limiterOf({ store, limit: 50 })
  await large.acquire()
  expect(large.stats()).toMatchObject({ limit: 5, effectiveLimit: 5, processes: 2 })
  expect(lowered).toEqual([{ key: undefined, from: 50, to: 5 }])
})

test('a throttled attempt: every process slows down', async () => {
  const store = ownStore()
  const [one, other] = [
    limiterOf({ store, recoveryIntervalMs: 60_000 }),
    limiterOf({ store, recoveryIntervalMs: 60_000 }),
  ]
  ;(await one.acquire()).release('throttled')
  await new Promise((resolve) => setTimeout(resolve, 200))
  await other.acquire()
  expect(other.stats()).toMatchObject({ limit: 20, effectiveLimit: 10 })
})
