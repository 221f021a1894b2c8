import { createRateLimiter, redisStore } from '@aurora-iam/rate-limit'
import { RedisServer } from '@aurora-iam/test-support/redis-server'
import { until } from '@aurora-iam/test-support/until'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { runCli } from '../../src/cli.ts'
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
  [['fleet', '--redis', 'redis://127.0.0.1:1', '--prefix', '{a}'], 2, '--prefix: Expected'],
  [['fleet', '--redis', 'redis://:secret@127.0.0.1:1'], 1, 'does not answer (ECONNREFUSED)'],
])('%j: status %i, with the reason and without a secret', async (args, status, reason) => {
  const result = await run(args)
  expect(result).toMatchObject({ status, out: '' })
  expect(result.error).toContain(reason)
  expect(result.error).not.toContain('secret')
})

test('a Redis that wants a password: status 1, and its reason', async () => {
  await client.config('SET', 'requirepass', 'secret')
  const { status, error } = await run(['fleet', '--redis', url])
  await client.config('SET', 'requirepass', '')
  expect(status).toBe(1)
  expect(error).toMatch(
    /^aurora-iam: --redis: the Redis at 127\.0\.0\.1:\d+ rejects the command \(NOAUTH\)\. /,
  )
})

test('AURORA_IAM_REDIS is no URL of Redis: the message names it', async () => {
  vi.stubEnv('AURORA_IAM_REDIS', 'http://x')
  const { status, error } = await run(['fleet'])
  vi.unstubAllEnvs()
  expect(status).toBe(2)
  expect(error).toContain('AURORA_IAM_REDIS: expected a URL')
})

test('a Redis of AURORA_IAM_REDIS that does not answer: the message names the variable', async () => {
  vi.stubEnv('AURORA_IAM_REDIS', 'redis://:secret@127.0.0.1:1')
  const { status, error } = await run(['fleet'])
  vi.unstubAllEnvs()
  expect(status).toBe(1)
  expect(error).toContain('aurora-iam: AURORA_IAM_REDIS: the Redis at 127.0.0.1:1 does not answer')
})

test('a password of the Redis that is not encoded: refused, and no part of it is taken for the host', async () => {
  const { status, error } = await run(['fleet', '--redis', 'redis://:a@hunter2.hush/b@127.0.0.1:1'])
  expect(status).toBe(2)
  expect(error).toContain('--redis: there is an @ behind the host')
  expect(error).not.toMatch(/hunter2|hush/)
})

test('a key that no fleet uses: status 1, and where to look', async () => {
  const { status, error } = await run(['fleet', 'nothing\u001b[2J', '--redis', url])
  expect(status).toBe(1)
  expect(error).toContain('Check the key and --prefix')
  expect(error).not.toContain('\u001b')
})

describe('--watch', () => {
  /** Starts a watch, and collects its lines. */
  const watch = (redis: string, ...more: readonly string[]) => {
    const stop = new AbortController()
    const lines = { out: [] as string[], error: [] as string[] }
    const status = runCli(
      ['fleet', '--redis', redis, '--watch', ...more],
      { out: (text) => lines.out.push(text), error: (text) => lines.error.push(text) },
      { stopped: () => stop.signal },
    )
    const last = () => JSON.parse(lines.out.at(-1) ?? '{}')
    return { ...lines, last, status, stop: () => stop.abort() }
  }

  test('a permit that comes and goes: the lines of JSON follow, until the stop, with status 0', async () => {
    const limiter = createRateLimiter({ limit: 5, store: redisStore(client) })
    ;(await limiter.acquire()).cancel()
    const { out, last, status, stop } = watch(url, '--json')
    await until(() => last().inUse === 0)
    const permit = await limiter.acquire()
    await until(() => last().inUse === 1)
    permit.cancel()
    await until(() => last().inUse === 0)
    limiter.close()
    stop()
    expect(await status).toBe(0)
    expect(out.every((line) => line.endsWith('}\n'))).toBe(true)
  })

  test('a Redis that is lost and comes back: the watch says so, and goes on', async () => {
    const other = await RedisServer.start()
    const others = new Redis(other.port)
    others.on('error', () => {})
    const limiter = createRateLimiter({ limit: 5, store: redisStore(others) })
    ;(await limiter.acquire()).cancel()
    const { out, error, status, stop } = watch(`redis://:secret@127.0.0.1:${other.port}`)
    await until(() => out.length > 0)
    await other.kill()
    await until(() => error.some((line) => line.includes('does not answer (ECONNREFUSED)')))
    await other.up()
    await until(() => error.some((line) => line.includes('No fleet uses the key')))
    stop()
    expect(await status).toBe(0)
    expect(error.join()).not.toContain('secret')
    limiter.close()
    others.disconnect()
    await other.close()
  })
})

test('a Redis that accepts connections and sends nothing: status 1 after 5 s', async () => {
  server.signal('SIGSTOP')
  const { status, error } = await run(['fleet', '--redis', url])
  server.signal('SIGCONT')
  expect(status).toBe(1)
  expect(error).toContain('does not answer (ETIMEDOUT)')
}, 20_000)
