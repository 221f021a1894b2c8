import dns from 'node:dns'
import { type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { createRateLimiter, type RateLimiter } from '@aurora-iam/rate-limit'
import { reset } from '@aurora-iam/test-support/local-aurora'
import { until } from '@aurora-iam/test-support/until'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AdapterHarness, Client, HeldConnection } from '../conformance/harness.ts'
import { ADAPTERS } from './adapters.ts'

// Two hosts of one cluster: both answer to its name, on one port, each at a separate address.
let old: LocalAurora
let next: LocalAurora
/** Where the name leads now. */
let address: string
const clients: Client[] = []

beforeAll(async () => {
  old = await startLocalAurora({ throttle: false })
  const { credentials, port } = old
  next = await startLocalAurora({ throttle: false, credentials, port, host: '127.0.0.2' })
})

afterAll(() => Promise.all([old.close(), next.close()]))

beforeEach(() => {
  // Knex prints each connection that failed.
  vi.spyOn(console, 'log').mockImplementation(() => {})
  address = old.host
  for (const aurora of [old, next]) reset(aurora)
})

afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.allSettled(clients.splice(0).map((client) => client.close()))
})

async function open(harness: AdapterHarness, iamOptions: AuroraIamOptions = {}, connectionLimit = 5) {
  const { port, database, hostname: host, region, credentials } = old
  const ca = [old.ca, next.ca]
  const dial = () => ({ host: address })
  const iam = createAuroraIam({
    region,
    credentials,
    ca,
    dial,
    rateLimit: unhurried(),
    retryRejectedLogins: true,
    ...iamOptions,
  })
  const place = { host, port, user: 'app', database, connectionLimit, connectTimeout: 1_000 }
  const options = harness.options(place, iam)
  const client = await (harness.openRetrying?.(options, iam) ?? harness.open(options))
  clients.push(client)
  return { client, iam }
}

describe.each(ADAPTERS)('failover through $name', (harness) => {
  test.each([
    ['`dial`, a function', undefined],
    ['the resolver of the machine', 'dial'],
  ])('the address of the endpoint changes: new connections go where %s leads now', async (_way, without) => {
    // Stands for a name server: there is none for the names of this test.
    const lookup = vi.spyOn(dns, 'lookup').mockImplementation(answer as never)
    const { client } = await open(harness, without ? { [without]: undefined } : {})
    await client.query('SELECT 1')
    expect(old.log.logins).toHaveLength(1)
    address = next.host
    old.faults.dropConnections()
    await answersAgain(client)
    expect(old.log.connections).toBe(1)
    expect(next.log.logins).toHaveLength(1)
    expect(next.log.refusals).toHaveLength(0)
    if (without) expect(lookup.mock.calls.map(([name]) => name)).toEqual([old.hostname, old.hostname])
  })

  test('the old writer answers 1290 to changes: without requireWriter and retireDemoted, the connections of the pool stay there', async () => {
    const { client } = await open(harness, { retireDemoted: false }, 1)
    await client.query('CREATE TABLE IF NOT EXISTS note (id INT)')
    await old.restart({ readOnly: true })
    await answersAgain(client)
    address = next.host
    const connections = old.log.connections
    const held = await client.hold()
    await expect(held.query('INSERT INTO note VALUES (1)')).rejects.toThrow('--read-only')
    await held.release()
    await client.query('SELECT 1')
    expect(old.log.connections).toBe(connections)
    expect(next.log.connections).toBe(0)
    await old.restart()
  })

  test('the storm after a restart: all wait in the queue, in order, and the server never sees more than the rate', async () => {
    const rateLimit = inOrder(createRateLimiter({ limit: 6, intervalMs: 150 }))
    const { client } = await open(harness, { rateLimit }, 20)
    for (const connection of await holdAll(client, 20)) await connection.release()
    old.log.clear()
    old.setThrottle({ limit: 6, intervalMs: 150 })
    await old.restart()
    for (const connection of await holdAll(client, 20)) await connection.release()
    expect(old.log.logins).toHaveLength(20)
    expect(old.log.refusals).toHaveLength(0)
    expect(old.log.peakTokens(150)).toBeLessThanOrEqual(6)
    expect(rateLimit.granted).toEqual([...rateLimit.granted].sort((a, b) => a - b))
    expect(rateLimit.granted.length).toBeGreaterThanOrEqual(40)
  })

  const TROUBLES: ReadonlyArray<readonly [what: string, begin: () => unknown]> = [
    ['a restart', () => old.restart()],
    ['a storm', () => old.faults.dropConnections()],
    ['rejections', () => old.faults.set({ refuse: 'NotAuthorized' })],
    ['silence', () => old.faults.set({ hang: 'after-token' })],
  ]

  test.each(TROUBLES)(
    'closed in the middle of %s: it settles, and so does all that waits',
    async (_what, begin) => {
      const rateLimit = createRateLimiter({ limit: 2, intervalMs: 100 })
      const { client } = await open(harness, { rateLimit, maxWaitMs: 600 }, 10)
      await client.query('SELECT 1')
      const trouble = begin()
      const queries = Array.from({ length: 20 }, () => client.query('SELECT SLEEP(0.01)'))
      const settled = Promise.allSettled(queries)
      await until(() => rateLimit.stats().waiting > 0)
      await within(10_000, Promise.allSettled([client.close()]))
      await within(10_000, settled)
      await until(() => rateLimit.stats().waiting === 0)
      old.faults.clear()
      await trouble
      await until(() => old.openConnections === 0)
    },
  )
})

/** Address that the resolver of the machine returns. */
function answer(
  _name: string,
  options: { all?: boolean },
  callback: (error: null, found: unknown, family?: number) => void,
): void {
  process.nextTick(() => {
    if (options.all) callback(null, [{ address, family: 4 }])
    else callback(null, address, 4)
  })
}

async function answersAgain(client: Client): Promise<void> {
  while ((await client.query('SELECT 1').catch(() => undefined)) === undefined) await pause()
}

/** Opens `count` connections at once, each of which answers. Repeats what fails on the way. */
function holdAll(client: Client, count: number): Promise<HeldConnection[]> {
  const holdOne = async (): Promise<HeldConnection> => {
    for (;;) {
      let held: HeldConnection | undefined
      try {
        held = await client.hold()
        await held.query('SELECT 1')
        return held
      } catch {
        await held?.release()
        await pause()
      }
    }
  }
  return Promise.all(Array.from({ length: count }, holdOne))
}

/** Wraps `limiter` and records the number of each granted request. The first request is number 0. */
function inOrder(limiter: RateLimiter): RateLimiter & { readonly granted: readonly number[] } {
  const granted: number[] = []
  let asked = 0
  const acquire: RateLimiter['acquire'] = async (options) => {
    const number = asked++
    const permit = await limiter.acquire(options)
    granted.push(number)
    return permit
  }
  return {
    granted,
    acquire,
    limit: limiter.limit,
    intervalMs: limiter.intervalMs,
    lower: (limit) => limiter.lower(limit),
    stats: () => limiter.stats(),
    flush: () => limiter.flush(),
    close: () => limiter.close(),
  }
}

/** Creates a limiter whose limit no test meets by accident. */
function unhurried(): RateLimiter {
  return createRateLimiter({ limit: 1_000 })
}

function within<T>(boundMs: number, work: Promise<T>): Promise<T> {
  const late = new Error(`It did not settle within ${boundMs} ms.`)
  let timer: NodeJS.Timeout | undefined
  const bound = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late), boundMs)
  })
  return Promise.race([work, bound]).finally(() => clearTimeout(timer))
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}
