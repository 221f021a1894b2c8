import { expect, test } from 'vitest'
import { createRateLimiter, type RateLimiterOptions } from '../src/index.ts'
import { completeOptions } from '../src/options.ts'

test('the limit alone: enough', () => {
  expect(completeOptions({ limit: 20 })).toEqual({
    limit: 20,
    intervalMs: 1000,
    maxWaitMs: 30_000,
    maxQueue: 10_000,
    permitTtlMs: 60_000,
    recoveryIntervalMs: 1000,
    maxInFlight: 20,
    dryRun: false,
    store: undefined,
    onStoreLost: 'share',
    share: undefined,
    clock: expect.anything(),
  })
})

test('an option that is undefined: its default', () => {
  expect(completeOptions({ limit: 20, maxWaitMs: undefined } as never).maxWaitMs).toBe(30_000)
})

test.each([
  ['limit', [undefined, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '20', null]],
  ['intervalMs', [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1s']],
  ['maxWaitMs', [-1, Number.NaN, Number.POSITIVE_INFINITY]],
  ['maxQueue', [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]],
  ['permitTtlMs', [0, Number.NaN, Number.POSITIVE_INFINITY]],
  ['recoveryIntervalMs', [0, Number.NaN, Number.POSITIVE_INFINITY]],
  ['dryRun', ['yes', 1]],
  ['clock', [null, {}, { now: 5 }]],
])('%s out of range: refused by name', (option, values) => {
  for (const value of values) {
    const options = { limit: 20, [option]: value } as unknown as RateLimiterOptions
    expect(() => createRateLimiter(options), String(value)).toThrow(
      expect.objectContaining({
        code: 'ERR_RATE_LIMIT_INVALID_OPTION',
        option,
        retryable: false,
        message: expect.stringMatching(new RegExp(`^Expected \`${option}\` to be .*, but it is .*\\.$`)),
      }),
    )
  }
})

test('an unknown option: refused by name, with the known ones', () => {
  expect(() => createRateLimiter({ limit: 20, interval: 5 } as RateLimiterOptions)).toThrow(
    'Unknown option `interval`. Remove it, or use one of: limit, intervalMs, maxWaitMs, maxQueue, permitTtlMs, recoveryIntervalMs, dryRun, onStoreLost, clock, maxInFlight, store, share.',
  )
})

test('options that are not an object: refused', () => {
  expect(() => createRateLimiter(20 as never)).toThrow('Expected `options` to be an object')
  expect(() => createRateLimiter(null as never)).toThrow('Expected `options` to be an object')
})
