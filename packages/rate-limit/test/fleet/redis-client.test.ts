import { readFile } from 'node:fs/promises'
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster, createSentinel } from 'redis'
import { afterAll, expect, test } from 'vitest'
import { fleetInspection, fleetStep } from '../../src/fleet/lua-scripts.ts'
import { fleetKeys, redisEngine } from '../../src/fleet/redis-store.ts'
import { createRateLimiter, redisStore, StoreConflictError } from '../../src/index.ts'
import { stepRequest } from '../fleet-script.ts'
import { startRedis } from '../redis.ts'

const redis = await startRedis()
const nodeRedis = await createClient({ url: `redis://127.0.0.1:${redis.options.port}` }).connect()
afterAll(() => nodeRedis.close())

/** One process that wants nothing. */
const request = stepRequest({ process: 'process' })

/** Returns how often a server ran each command since the last call. */
async function commandsRun(): Promise<Record<string, number>> {
  const stats = await redis.info('commandstats')
  await redis.config('RESETSTAT')
  const counts = [...stats.matchAll(/cmdstat_(eval|evalsha):calls=(\d+)/g)]
  return Object.fromEntries(counts.map(([, command, calls]) => [command, Number(calls)]))
}

test.each([
  ['ioredis', redis],
  ['node-redis', nodeRedis],
])(
  '%s, and a server that does not know the script: sent once, then named by its digest',
  async (name, client) => {
    const engine = redisEngine(client, { prefix: name })
    await redis.script('FLUSH')
    await commandsRun()
    for (let step = 0; step < 3; step++) expect(await engine.step('k', request)).toHaveLength(15)
    expect(await commandsRun()).toEqual({ evalsha: 3, eval: 1 })
    expect(await redis.keys(`${name}:{k}*`)).toContain(`${name}:{k}:facts`)
  },
)

test('keys: of one hash tag, whatever the name', () => {
  expect(fleetKeys('prefix', 'a{b}c')[1]).toBe('prefix:{a_b_c}:facts')
})

test.each([true, false])(
  'a key of a later protocol or of another type, the script known: %s. A conflict, with the remedy',
  async (isKnown) => {
    await redisEngine(redis).step('known', request)
    const prepare = () => (isKnown ? undefined : redis.script('FLUSH'))
    const engine = redisEngine(redis, { prefix: `conflict-${isKnown}` })
    const [typed, facts] = fleetKeys(`conflict-${isKnown}`, 'default') as [string, string]
    await redis.hset(facts, 'protocol', '12')
    await prepare()
    const later = engine.step('default', request)
    await expect(later).rejects.toThrow(StoreConflictError)
    await expect(later).rejects.toMatchObject({
      message:
        'The key of "default" is in use by version 12 of the fleet protocol. Update this process, or give it another `prefix`.',
      cause: expect.objectContaining({ message: expect.stringContaining('PROTOCOL 12') }),
    })
    await redis.del(facts)
    await redis.lpush(typed, 'not of this library')
    await prepare()
    await expect(engine.step('default', request)).rejects.toMatchObject({
      message: expect.stringContaining(
        'The key of "default" holds a value of another type, which is not of this library.',
      ),
      cause: expect.objectContaining({ message: expect.stringContaining('WRONGTYPE') }),
    })
  },
)

test.each([
  ['an error that begins otherwise', new Error('The reply was NOSCRIPT.')],
  ['an error with a protocol in its words', new Error('The reply was PROTOCOL 3.')],
  ['no error', undefined],
])('a client that rejects with %s: that is the reason, and the script is not sent', async (_, reason) => {
  const sent: string[] = []
  const client = {
    evalsha: () => Promise.reject(reason),
    eval: async () => sent.push('eval'),
  }
  const ended = await redisEngine(client as never)
    .step('k', request)
    .catch((error: unknown) => ({ error }))
  expect([ended, sent]).toEqual([{ error: reason }, []])
})

test('a client that fails when the script is sent: its error is the reason', async () => {
  const error = new Error('NOPERM this user has no permissions')
  const client = {
    evalsha: () => Promise.reject(new Error('NOSCRIPT No matching script.')),
    eval: () => Promise.reject(error),
  }
  await expect(redisEngine(client as never).step('k', request)).rejects.toBe(error)
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

test('each kind of client: it fits by its type and by its methods', () => {
  const node = { host: '127.0.0.1', port: 1 }
  const clients = [
    new Redis({ lazyConnect: true }),
    new Cluster([node], { lazyConnect: true }),
    createClient(),
    createCluster({ rootNodes: [{ socket: node }] }),
    createSentinel({ name: 'fleet', sentinelRootNodes: [node] }),
  ]
  for (const client of clients)
    expect(redisStore(client)).toMatchObject({ createPermits: expect.any(Function) })
})

test.each([
  ['client', () => redisStore({} as never)],
  ['client', () => redisStore(null as never)],
  ['client', () => redisStore({ eval() {} } as never)],
  ['client', () => redisStore({ evalsha() {} } as never)],
  ['client', () => redisStore({ evalSha() {} } as never)],
  ['prefix', () => redisStore(redis, { prefix: 'a{b' })],
  ['prefix', () => redisStore(redis, { prefix: 'a}b' })],
  ['prefix', () => redisStore(redis, { prefix: '' })],
  ['prefix', () => redisStore(redis, { prefix: 7 as never })],
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
