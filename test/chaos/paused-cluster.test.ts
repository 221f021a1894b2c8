import { type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AdapterHarness, Client, ClientOptions } from '../conformance/harness.ts'
import { ADAPTERS } from './adapters.ts'

const aurora = await localAurora()
const clients: Client[] = []
const LIMIT = 20

beforeEach(() => {
  // Knex prints each connection that failed.
  vi.spyOn(console, 'log').mockImplementation(() => {})
  aurora.setThrottle(LIMIT)
})

afterEach(async () => {
  aurora.resume()
  // What waits for a time waits for the clock of the test.
  await settled(Promise.allSettled(clients.splice(0).map((client) => client.close())))
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Opens a client with one connection, pauses the cluster, and moves the clock from here on. */
async function openAndPause(
  harness: AdapterHarness,
  { resumeAfterMs, ...iamOptions }: AuroraIamOptions & { resumeAfterMs: number },
  options: Partial<ClientOptions> = {},
) {
  useMovedClock('setTimeout')
  const { host, port, database } = aurora
  // The limiter of an endpoint is shared in a process. This one begins with the clock of the test.
  const rateLimit = createRateLimiter({ limit: LIMIT })
  const iam = createAuroraIam({ ...aurora.iam, rateLimit, retryRejectedLogins: true, ...iamOptions })
  const address = { host, port, database, user: 'app', connectionLimit: 5, ...options }
  const settings = harness.options(address, iam)
  const client = await (harness.openRetrying?.(settings, iam) ?? harness.open(settings))
  clients.push(client)
  await client.query('SELECT 1')
  aurora.pause({ resumeAfterMs })
  await until(() => aurora.openConnections === 0)
  // The server does not count as awake any more.
  await vi.advanceTimersByTimeAsync(2_000)
  aurora.log.clear()
  return { client, limits: () => Object.values(iam.stats().rateLimits)[0]!, iam }
}

const isWoken = () => [...aurora.log].some(({ type }) => type === 'resuming')

/** Sends five queries at once. Returns what waits for their answers. */
function askAll(client: Client) {
  const answers = Promise.all(Array.from({ length: 5 }, () => client.query('SELECT 1 AS one')))
  return () => settled(answers)
}

/** Returns what `work` resolves or rejects with, while the clock moves. */
async function settled<T>(work: Promise<T>): Promise<T> {
  let isSettled = false
  const settle = () => {
    isSettled = true
  }
  work.then(settle, settle)
  await until(() => isSettled)
  return work
}

describe.each(ADAPTERS)('a paused cluster through $name', (harness) => {
  test('it resumes within resumeTimeoutMs: one connection wakes it, and no query fails', async () => {
    const before = { resumeAfterMs: 40_000, resumeTimeoutMs: 60_000 }
    const { client, limits } = await openAndPause(harness, before, { connectTimeout: 5_000 })
    const answers = askAll(client)
    await until(isWoken)
    await vi.advanceTimersByTimeAsync(35_000)
    expect(aurora.log.connections).toBe(0)
    expect(limits()).toMatchObject({ waiting: 0, throttled: 0, limit: LIMIT })
    aurora.resume()
    const rows = await answers()
    expect(rows.map(([row]) => Number(row?.one))).toEqual([1, 1, 1, 1, 1])
    expect(aurora.log.refusals).toHaveLength(0)
    expect(aurora.log.peakTokens(1_000)).toBeLessThanOrEqual(LIMIT)
    expect(limits()).toMatchObject({ throttled: 0, limit: LIMIT })
  })

  test('it closes the first connection while it resumes: the next one goes ahead, and no query fails', async () => {
    const before = { resumeAfterMs: 40_000, resumeTimeoutMs: 60_000 }
    const { client } = await openAndPause(harness, before)
    const answers = askAll(client)
    await until(isWoken)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(aurora.faults.dropConnections()).toBe(1)
    await until(() => aurora.faults.dropConnections() === 1)
    aurora.resume()
    expect(await answers()).toHaveLength(5)
  })

  test('it does not resume within resumeTimeoutMs: one clear error, and the next query works', async () => {
    const before = { resumeAfterMs: 40_000, resumeTimeoutMs: 20_000 }
    const { client, limits } = await openAndPause(harness, before)
    const failed = rejectionOf(client.query('SELECT 1'))
    await until(isWoken)
    await vi.advanceTimersByTimeAsync(20_001)
    const error = await settled(failed)
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_PAUSED', message: expect.stringContaining('paused') })
    expect(limits()).toMatchObject({ throttled: 0, limit: LIMIT })
    const answer = client.query('SELECT 1 AS one')
    await vi.advanceTimersByTimeAsync(15_000)
    aurora.resume()
    expect(await settled(answer)).toHaveLength(1)
  })

  test('the AuroraIam and the client close while it waits: it settles, and so does all that waits', async () => {
    const before = { resumeAfterMs: 40_000, resumeTimeoutMs: 60_000 }
    const { client, iam, limits } = await openAndPause(harness, before)
    const answers = Promise.allSettled([1, 2, 3].map(() => client.query('SELECT 1')))
    await until(isWoken)
    iam.close()
    const ended = Promise.allSettled([client.close()])
    await settled(ended)
    await settled(answers)
    expect(limits().waiting).toBe(0)
  })
})
