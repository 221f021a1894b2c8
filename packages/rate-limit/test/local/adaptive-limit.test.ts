import { expect, test } from 'vitest'
import { AdaptiveLimit } from '../../src/local/adaptive-limit.ts'

const options = { limit: 20, intervalMs: 1000, recoveryIntervalMs: 500 }

test('a throttled attempt: the limit is halved, down to 1', () => {
  const limit = new AdaptiveLimit({ ...options, recoveryIntervalMs: 1e9 })
  const seen = [1000, 3000, 5000, 7000, 9000, 11_000].map((now) => {
    limit.throttled(now - 10, now)
    return limit.at(now)
  })
  expect(seen).toEqual([10, 5, 2, 1, 1, 1])
  expect(limit.limit).toBe(20)
})

test('the rejections of one burst: the limit is halved once', () => {
  const limit = new AdaptiveLimit(options)
  for (let now = 1000; now < 1400; now += 20) limit.throttled(990, now)
  limit.throttled(990, 2400)
  expect(limit.at(1400)).toBe(10)
})

test('attempts granted after a cut: they count only when an interval has passed since it', () => {
  const limit = new AdaptiveLimit({ ...options, recoveryIntervalMs: 1e9 })
  limit.throttled(990, 1000)
  limit.throttled(1001, 1999)
  expect(limit.at(1999)).toBe(10)
  limit.throttled(1000, 2000)
  expect(limit.at(2000)).toBe(10)
  limit.throttled(1001, 2000)
  expect(limit.at(2000)).toBe(5)
})

test('recovery: one permit more in each recoveryIntervalMs, up to the limit', () => {
  const limit = new AdaptiveLimit(options)
  expect(limit.growsAt(0)).toBe(Number.POSITIVE_INFINITY)
  limit.throttled(990, 1000)
  expect([1000, 1499, 1500, 2000, 5500, 6000, 90_000].map((now) => limit.at(now))).toEqual([
    10, 10, 11, 12, 19, 20, 20,
  ])
  expect(limit.growsAt(1499)).toBe(1500)
  expect(limit.growsAt(1500)).toBe(2000)
  expect(limit.growsAt(6000)).toBe(Number.POSITIVE_INFINITY)
})

test('a lowered limit: it bounds the recovery', () => {
  const limit = new AdaptiveLimit(options)
  limit.throttled(990, 1000)
  limit.lower(12)
  expect(limit.at(1000)).toBe(10)
  expect(limit.at(90_000)).toBe(12)
  limit.lower(3)
  expect(limit.at(90_000)).toBe(3)
})
