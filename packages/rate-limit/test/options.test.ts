import { expect, test } from 'vitest'
import { createRateLimiter, fleetStore, type RateLimiterOptions, ticketStore } from '../src/index.ts'
import { completeOptions } from '../src/options.ts'
import { SimulatedClock } from './simulated-clock.ts'

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

const store = fleetStore({ step: async () => [] })

test('the smallest value of each option: accepted', () => {
  const smallest = {
    limit: 1,
    intervalMs: 0.001,
    maxWaitMs: 0,
    maxQueue: 0,
    permitTtlMs: 0.001,
    recoveryIntervalMs: 0.001,
    maxInFlight: 1,
  }
  expect(completeOptions(smallest)).toMatchObject(smallest)
})

test('every option given: each is kept', () => {
  const given = {
    limit: 7,
    intervalMs: 1,
    maxWaitMs: 2,
    maxQueue: 3,
    permitTtlMs: 4,
    recoveryIntervalMs: 5,
    maxInFlight: 6,
    dryRun: true,
    store,
    onStoreLost: 'fail-open',
    share: { processes: 8 },
    clock: new SimulatedClock(),
  } as const
  expect(completeOptions(given)).toEqual(given)
})

test('a store: at most 10,000 permits, and a default wait for two intervals and 5 s at least', () => {
  expect(completeOptions({ limit: 10_000, store }).limit).toBe(10_000)
  expect(() => completeOptions({ limit: 10_001, store })).toThrow(
    'Expected `limit` to be at most 10000 with a store, but it is 10001.',
  )
  expect(completeOptions({ limit: 10_001 }).limit).toBe(10_001)
  const waits = [undefined, 12_500, 12_501, 60_000].map(
    (intervalMs) => completeOptions({ limit: 1, store, ...(intervalMs && { intervalMs }) }).maxWaitMs,
  )
  expect(waits).toEqual([30_000, 30_000, 30_002, 125_000])
  expect(completeOptions({ limit: 1, intervalMs: 60_000 }).maxWaitMs).toBe(30_000)
})

test.each(['share', 'fail-closed', 'fail-open'] as const)(
  'onStoreLost %s: with a store alone',
  (onStoreLost) => {
    expect(completeOptions({ limit: 1, store, onStoreLost })).toMatchObject({ onStoreLost })
    expect(() => completeOptions({ limit: 1, onStoreLost })).toThrow(
      expect.objectContaining({ option: 'onStoreLost' }),
    )
  },
)

test.each([
  ['store', [null, {}, { step: async () => [] }, { createPermits: 1 }, 'redis']],
  ['share', [null, {}, 4, { processes: 0 }, { processes: 1.5 }]],
  ['onStoreLost', ['open', null]],
  ['clock', [{ now: () => 0 }, { setTimer: () => {} }]],
])('%s of another kind: refused by name, also below another name', (option, values) => {
  for (const value of values) {
    const options = { limit: 1, store, [option]: value } as unknown as RateLimiterOptions
    expect(() => completeOptions(options)).toThrow(expect.objectContaining({ option }))
    expect(() => completeOptions(options, 'rateLimit')).toThrow(
      expect.objectContaining({ option: `rateLimit.${option}` }),
    )
  }
})

test('an option of another package on Object.prototype: no option of this one', () => {
  const prototype = Object.prototype as { maxQueue?: number; cache?: boolean }
  prototype.maxQueue = 0
  prototype.cache = true
  try {
    expect(completeOptions({ limit: 1 }).maxQueue).toBe(10_000)
  } finally {
    delete prototype.maxQueue
    delete prototype.cache
  }
})

test.each([
  ['a'.repeat(40), 'a'.repeat(40), `rateLimit.${'a'.repeat(40)}`],
  ['a'.repeat(41), 'options', 'rateLimit'],
  ['a text', 'options', 'rateLimit'],
  ['text\n', 'options', 'rateLimit'],
])(
  'an unknown option, case %#: named where it is a name, and not repeated where it is not',
  (key, name, below) => {
    const options = { limit: 1, [key]: 1 }
    expect(() => completeOptions(options)).toThrow(expect.objectContaining({ option: name }))
    expect(() => completeOptions(options, 'rateLimit')).toThrow(expect.objectContaining({ option: below }))
  },
)

test.each([
  ['engine', () => fleetStore(undefined as never)],
  ['engine', () => fleetStore({ step: 1 } as never)],
  ['counter', () => ticketStore(null as never)],
  ['counter', () => ticketStore({ toleranceMs: 1, handshakeMs: 1 } as never)],
  ['toleranceMs', () => ticketStore({ draw: async () => 1, toleranceMs: -1, handshakeMs: 1 })],
  ['handshakeMs', () => ticketStore({ draw: async () => 1, toleranceMs: 0 } as never)],
])('another database without a good %s: refused by name', (option, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_RATE_LIMIT_INVALID_OPTION', option }))
})
