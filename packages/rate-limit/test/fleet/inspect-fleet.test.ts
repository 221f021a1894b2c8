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
