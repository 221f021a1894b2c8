import { createRateLimiter, redisStore } from '@aurora-iam/rate-limit'
import { RedisServer } from '@aurora-iam/test-support/redis-server'
import { until } from '@aurora-iam/test-support/until'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../run.ts'

let server: RedisServer
let client: Redis
let url: string

beforeAll(async () => {
  server = await RedisServer.start()
  url = `redis://127.0.0.1:${server.port}`
  client = new Redis(url)
})

afterAll(async () => {
  client.disconnect()
  await server.close()
})

test('a permit is held and a request waits: both are shown, as text and as JSON', async () => {
  const [holder, other] = [1, 2].map(() =>
    createRateLimiter({ limit: 1, store: redisStore(client), maxWaitMs: 60_000 }),
  )
  const permit = await holder!.acquire()
  const waiting = other!.acquire().catch(() => undefined)
  const shown = await until(async () => {
    const { status, out } = await run(['fleet', '--redis', url, '--json'])
    const fleet = JSON.parse(out)
    return status === 0 && fleet.inUse === 1 && fleet.waitingProcesses === 1 ? fleet : undefined
  })
  expect(shown).toMatchObject({
    limit: 1,
    intervalMs: 1000,
    processes: 2,
    waiting: [{ lane: 'live', wanted: 1 }],
  })
  const { out } = await run(['fleet', '--redis', url])
  expect(out).toContain('default: 1 logins in 1000 ms, 2 processes\n')
  expect(out).toContain('1 held, 0 cooling down\n')
  expect(out).toContain('1 processes wait\n')
  permit.cancel()
  holder!.close()
  other!.close()
  await waiting
})

test.each([
  [['fleet'], 2, '--redis is missing'],
  [['fleet', '--redis', 'http://x'], 2, '--redis: expected a URL'],
  [['fleet', '--redis', 'redis://:secret@127.0.0.1:1'], 1, 'does not answer (ECONNREFUSED)'],
])('%j: status %i, with the reason and without a secret', async (args, status, reason) => {
  const result = await run(args)
  expect(result).toMatchObject({ status, out: '' })
  expect(result.error).toContain(reason)
  expect(result.error).not.toContain('secret')
})

test('a key that no fleet uses: status 1, and where to look', async () => {
  const { status, error } = await run(['fleet', 'nothing\u001b[2J', '--redis', url])
  expect(status).toBe(1)
  expect(error).toContain('Check the key and --prefix')
  expect(error).not.toContain('\u001b')
})
