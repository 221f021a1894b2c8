import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRateLimiter, type RateLimiter, type RateLimiterOptions } from '../src/index.ts'
import { brokenPromises, scenarios } from './scenario.ts'

test('any timers, networks and callers: the server never counts more than the limit, requests are served in order, none is forgotten, no timer is left', async () => {
  await fc.assert(
    fc.asyncProperty(scenarios, async (scenario) => {
      expect(await brokenPromises(scenario, createRateLimiter)).toEqual([])
    }),
    { seed: 20, numRuns: 400 },
  )
})

test('a limiter that counts from the grant instead of the outcome: the same property fails', async () => {
  const result = await fc.check(
    fc.asyncProperty(scenarios, async (scenario) => {
      const broken = await brokenPromises(scenario, createGrantCountingLimiter)
      return !broken.some((promise) => promise.includes('arrivals in'))
    }),
    { seed: 20, numRuns: 400, endOnFailure: true },
  )
  expect(result.failed).toBe(true)
})

/** Frees each place an interval after its grant, as most limiters do. */
function createGrantCountingLimiter(options: RateLimiterOptions): RateLimiter {
  const limiter = createRateLimiter(options)
  return {
    acquire: async (request) => {
      const permit = await limiter.acquire(request)
      permit.release()
      return permit
    },
    limit: limiter.limit,
    intervalMs: limiter.intervalMs,
    lower: (limit) => limiter.lower(limit),
    stats: () => limiter.stats(),
    flush: () => limiter.flush(),
    close: () => limiter.close(),
  }
}
