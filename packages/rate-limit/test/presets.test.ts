import { expect, test } from 'vitest'
import { type RateLimit, rateLimitPresets, resolveRateLimit } from '../src/index.ts'

test('a number: attempts per second', () => {
  expect(resolveRateLimit(50)).toEqual({ limit: 50 })
})

test.each([
  ['conservative', 20],
  ['db.t2.micro', 10],
  ['aws-2019', 200],
] as const)('the preset %s: %d per second, with its source', (preset, limit) => {
  expect(resolveRateLimit(preset)).toEqual({ limit, intervalMs: 1000 })
  expect(rateLimitPresets[preset].source).toMatch(/Aurora User Guide.*edition/)
})

test('options: checked and passed on unchanged', () => {
  const options = { limit: 5, maxWaitMs: 10 }
  expect(resolveRateLimit(options)).toEqual(options)
})

test.each([
  [0, 'Expected `rateLimit` to be a whole number from 1, such as 20, but it is 0.'],
  [Number.NaN, 'Expected `rateLimit` to be'],
  [Number.POSITIVE_INFINITY, 'Expected `rateLimit` to be'],
  [1.5, 'Expected `rateLimit` to be'],
  ['fast', "Unknown preset for `rateLimit`. Use one of 'conservative', 'db.t2.micro', 'aws-2019', "],
  ['toString', 'Unknown preset'],
  ['20', 'Expected `rateLimit` to be a number, but it is a string of digits'],
  [{ limit: -1 }, 'Expected `rateLimit.limit` to be'],
  [{ limit: 1, burst: 5 }, 'Unknown option `rateLimit.burst`.'],
  [true, 'Expected `rateLimit` to be'],
  [undefined, 'Expected `rateLimit` to be'],
])('%o: refused with the name of the option', (value, message) => {
  expect(() => resolveRateLimit(value as RateLimit)).toThrow(message)
})

test('the name of the option in the message: the one that the caller gives', () => {
  expect(() => resolveRateLimit({ limit: 0 }, 'iam.rateLimit')).toThrow(
    expect.objectContaining({ option: 'iam.rateLimit.limit' }),
  )
})

test.each(['20', ' 20 ', '20\n'])(
  '%o, as an environment variable has it: the remedy is to make a number of it',
  (value) => {
    expect(() => resolveRateLimit(value as RateLimit)).toThrow(
      expect.objectContaining({ option: 'rateLimit', message: expect.stringContaining('Write Number(…)') }),
    )
  },
)

test.each(['20x', 'x20', '2 0'])('%o: no preset', (value) => {
  expect(() => resolveRateLimit(value as RateLimit, 'limit')).toThrow(
    expect.objectContaining({
      option: 'limit',
      message: expect.stringContaining('Unknown preset for `limit`.'),
    }),
  )
})
