import { readFile } from 'node:fs/promises'
import { recordEvents } from '@aurora-iam/test-support/record-events'
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster, createSentinel } from 'redis'
import { expect, onTestFinished, test } from 'vitest'
import { fleetInspection, fleetStep } from '../../src/fleet/lua-scripts.ts'
import {
  createRateLimiter,
  type RateLimiterOptions,
  type RateLimitStore,
  redisStore,
} from '../../src/index.ts'
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

test('the text of each script in the module: that of its .lua file', async () => {
  for (const [file, script] of [
    ['fleet-step.lua', fleetStep],
    ['fleet-inspection.lua', fleetInspection],
  ] as const) {
    expect(await readFile(new URL(`../../src/fleet/${file}`, import.meta.url), 'utf8')).toBe(script)
  }
})

test('node-redis 3, whose commands take callbacks: refused', () => {
  const client = { eval() {}, evalsha() {}, internal_send_command() {} }
  expect(() => redisStore(client as never)).toThrow(/version 4 or newer/)
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

const bad: [string, RateLimitStore][] = [
  ['rejects', { step: () => Promise.reject(new Error('No.')) }],
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
]

test.concurrent.for(bad)(
  'a store that %s: a process goes on with its share',
  async ([, store], { expect }) => {
    const limiter = createRateLimiter({ limit: 8, intervalMs: 200, store, share: { processes: 4 } })
    const permits = await Promise.all([limiter.acquire(), limiter.acquire()])
    expect(limiter.stats()).toMatchObject({ storeLost: true, effectiveLimit: 2, inFlight: 2, processes: 4 })
    for (const permit of permits) permit.release()
    limiter.close()
  },
)

test('closed: the wait ends with the store’s error as the cause, and an event reports it', async () => {
  const lost = recordEvents('aurora-iam:rate-limit:store-lost')
  const error = new Error('NOPERM this user has no permissions')
  const limiter = limiterOf({ store: { step: () => Promise.reject(error) }, onStoreLost: 'fail-closed' })
  await expect(limiter.acquire({ timeoutMs: 400 })).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_STORE_LOST',
    retryable: true,
    cause: error,
    message: expect.stringContaining('NOPERM'),
  })
  expect(lost).toEqual([{ key: undefined, error, onStoreLost: 'fail-closed', limit: 0 }])
})

test('open: a process goes on with the whole limit, at once', async () => {
  const limiter = limiterOf({
    store: { step: () => Promise.reject(new Error('No.')) },
    onStoreLost: 'fail-open',
  })
  const permits = await Promise.all(Array.from({ length: 20 }, () => limiter.acquire()))
  expect(Math.max(...permits.map(({ waitedMs }) => waitedMs))).toBeLessThan(500)
})

test('each kind of client: it fits by its type and by its methods', () => {
  const node = { host: '127.0.0.1', port: 1 }
  const clients = [
    new Redis({ lazyConnect: true }),
    new Cluster([node], { lazyConnect: true }),
    createClient(),
    createCluster({ rootNodes: [{ socket: node }] }),
    createSentinel({ name: 'fleet', sentinelRootNodes: [node] }),
  ]
  for (const client of clients) expect(redisStore(client)).toMatchObject({ step: expect.any(Function) })
})

test.each([
  ['client', () => redisStore({} as never)],
  ['client', () => redisStore(null as never)],
  ['prefix', () => redisStore(redis, { prefix: 'a{b}' })],
  ['database', () => redisStore(redis, { database: 1 } as never)],
  ['store', () => createRateLimiter({ limit: 20, store: redis as never })],
  ['limit', () => createRateLimiter({ limit: 1e6, store: redisStore(redis) })],
  ['onStoreLost', () => createRateLimiter({ limit: 20, onStoreLost: 'share' })],
  [
    'onStoreLost',
    () => createRateLimiter({ limit: 20, store: redisStore(redis), onStoreLost: 'panic' as never }),
  ],
  ['share', () => createRateLimiter({ limit: 20, share: { processes: 0 } })],
  ['share', () => createRateLimiter({ limit: 20, share: 4 as never })],
  ['share.process', () => createRateLimiter({ limit: 20, share: { processes: 4, process: 1 } as never })],
  ['maxInFlight', () => createRateLimiter({ limit: 20, maxInFlight: 0 })],
])('a wrong %s: refused by name', (option, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_RATE_LIMIT_INVALID_OPTION', option }))
})
