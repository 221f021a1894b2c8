import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Throttle } from '../../src/iam/throttle.ts'

test('the limit in any interval: accepted, and the next one when the oldest has left it', () => {
  const throttle = new Throttle({ limit: 2, intervalMs: 1000 })
  expect(throttle.attempt(0)).toBeUndefined()
  expect(throttle.attempt(999)).toBeUndefined()
  expect(throttle.attempt(999.9)).toEqual({ limit: 2, intervalMs: 1000 })
  expect(throttle.attempt(1999)).toBeUndefined()
})

test('a rejected attempt: it counts too', () => {
  const throttle = new Throttle(1)
  expect(throttle.attempt(0)).toBeUndefined()
  expect(throttle.attempt(600)).toBeDefined()
  expect(throttle.attempt(1200)).toBeDefined()
  expect(throttle.attempt(2200)).toBeUndefined()
})

test('any attempts: the same answers as counting those in the interval before each one', () => {
  const gaps = fc.array(fc.nat(400), { maxLength: 60 })
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 6 }), (steps, limit) => {
      const throttle = new Throttle({ limit, intervalMs: 1000 })
      let now = 0
      const times: number[] = []
      for (const step of steps) {
        now += step
        const before = times.filter((time) => time > now - 1000).length
        times.push(now)
        expect(throttle.attempt(now) !== undefined).toBe(before >= limit)
      }
    }),
    { seed: 20_261_123 },
  )
})

test('false: every attempt is accepted; a new setting: the attempts so far are forgotten', () => {
  const throttle = new Throttle(1)
  throttle.attempt(0)
  throttle.set(false)
  for (let attempt = 0; attempt < 100; attempt += 1) expect(throttle.attempt(0)).toBeUndefined()
  throttle.set(1)
  expect(throttle.attempt(0)).toBeUndefined()
})

test.each([
  0,
  -1,
  1.5,
  Number.NaN,
  { limit: 1, intervalMs: 0 },
  { limit: 1, intervalMs: Number.POSITIVE_INFINITY },
])('%j: refused', (setting) => {
  expect(() => new Throttle(setting)).toThrow(
    expect.objectContaining({ code: 'ERR_LOCAL_AURORA_INVALID_OPTION', option: 'throttle' }),
  )
})
