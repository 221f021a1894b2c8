import { createClient } from 'redis'
import { expect, test } from 'vitest'
import { createRateLimiter, inspectFleet, redisStore } from '../../src/index.ts'
import { startRedis } from '../redis.ts'

const redis = await startRedis()

test('a fleet that holds and waits: both are shown, from either client, and nothing changes', async () => {
  const store = redisStore(redis)
  const [one, other] = [
    createRateLimiter({ limit: 1, intervalMs: 200, store }),
    createRateLimiter({ limit: 1, intervalMs: 200, store }),
  ]
  const held = await one.acquire()
  const waits = other.acquire({ lane: 'background' })
  const ended = waits.catch(() => {})
  const client = await createClient({ url: `redis://127.0.0.1:${redis.options.port}` }).connect()
  try {
    await expect.poll(async () => (await inspectFleet(redis))?.waitingProcesses).toBe(1)
    const before = await redis.dbsize()
    for (const each of [redis, client]) {
      expect(await inspectFleet(each)).toMatchObject({
        protocol: 2,
        limit: 1,
        intervalMs: 200,
        inUse: 1,
        processes: 2,
        quietForMs: 0,
        cut: undefined,
        hasPredecessors: false,
        holders: [{ process: expect.stringMatching(/^[0-9a-f-]{36}$/) }],
        waiting: [{ lane: 'background', wanted: 1 }],
      })
    }
    expect(await redis.dbsize()).toBe(before)
    expect(one.stats()).toMatchObject({ fleetInUse: 1, inFlight: 1 })
    held.release('throttled')
    await one.flush()
    expect(await inspectFleet(redis)).toMatchObject({
      inUse: 0,
      cut: { to: 1, agoMs: expect.any(Number) },
      holders: [],
    })
  } finally {
    held.cancel()
    one.close()
    other.close()
    await ended
    await client.close()
  }
})

test('a key that does not exist: undefined', async () => {
  expect(await inspectFleet(redis, 'nowhere')).toBeUndefined()
})

test.each([
  ['most', { most: 0 }],
  ['most', { most: 'all' }],
  ['prefix', { prefix: '' }],
  ['limit', { limit: 5 }],
])('a wrong %s: refused by name', async (option, options) => {
  await expect(inspectFleet(redis, 'default', options as never)).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_INVALID_OPTION',
    option,
  })
})

test('a client that is asked: the keys of the limiter, and how many members to list', async () => {
  const asked: unknown[][] = []
  const client = { evalsha: async () => null, eval: async (...given: unknown[]) => void asked.push(given) }
  await inspectFleet(client)
  await inspectFleet(client, 'cluster', { prefix: 'fleet', most: 7 })
  expect(asked.map(([, , key, ...rest]) => [key, rest.at(-1)])).toEqual([
    ['aurora-iam:rate-limit:{default}', '50'],
    ['fleet:{cluster}', '7'],
  ])
})
