import { createServer } from 'node:net'
import { createAuroraIam } from '@aurora-iam/core'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { describe, expect, test } from 'vitest'
import { fulfilled, opener, VERSIONS } from './support.ts'

const aurora = await localAurora()

const open = opener(() => aurora)
const REFUSED = { code: 'ER_ACCESS_DENIED_ERROR', errno: 1045 }

describe.each(VERSIONS)('the pool of $name in an outage', ({ makeKnex }) => {
  const unlimited = () => createAuroraIam({ ...aurora.iam, rateLimit: false })

  test('logins that are rejected for a while: at most one failed query each, then automatic recovery', async () => {
    const db = open(makeKnex, unlimited(), { pool: { max: 3 } })
    aurora.faults.set({ refuse: 'NotAuthorized' })
    const stop = aurora.log.on(() => {
      if (aurora.log.refusals.length >= 4) aurora.faults.clear()
    })
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => db.raw('SELECT 1')))
    stop()
    const failed = results.filter((result) => result.status === 'rejected')
    for (const { reason } of failed) expect(reason).toMatchObject(REFUSED)
    expect(failed.length).toBeGreaterThan(0)
    expect(failed.length).toBeLessThanOrEqual(aurora.log.refusals.length)
    expect(fulfilled(results)).toBeGreaterThan(0)
    await db.raw('SELECT 1')
  })

  test('an idle connection while logins are rejected: it goes on working', async () => {
    const db = open(makeKnex, unlimited(), { pool: { max: 3 } })
    await db.raw('SELECT 1')
    aurora.faults.set({ refuse: 'ThrottlingException' })
    // The one connection is taken, so that a second query needs another.
    const held = await db.transaction()
    expect(await rejectionOf(db.raw('SELECT 1'))).toMatchObject(REFUSED)
    await held.commit()
    for (let i = 0; i < 10; i++) await db.raw('SELECT 1')
    expect(aurora.log.refusals).toHaveLength(1)
  })

  test('a full queue: the limiter’s error, at once', async () => {
    const rateLimit = createRateLimiter({ limit: 1, intervalMs: 60_000, maxQueue: 1 })
    const taken = await rateLimit.acquire()
    const iam = createAuroraIam({ ...aurora.iam, rateLimit, maxWaitMs: 20_000 })
    const db = open(makeKnex, iam, { pool: { max: 3 } })
    const queries = Promise.allSettled([1, 2, 3].map(() => db.raw('SELECT 1')))
    await until(() => rateLimit.stats().waiting === 1 && iam.stats().connectionsFailed >= 2)
    taken.cancel()
    const results = await queries
    const failed = results.filter((result) => result.status === 'rejected')
    // Knex tells one query of failures that come in the same moment, and tries again for the others.
    expect(failed.length).toBeGreaterThan(0)
    for (const { reason } of failed) {
      expect(reason).toMatchObject({
        code: 'ERR_AURORA_IAM_RATE_LIMITED',
        retryable: true,
        cause: { code: 'ERR_RATE_LIMIT_QUEUE_FULL' },
      })
    }
  })

  test('a wait longer than maxWaitMs: the limiter’s error, not a KnexTimeoutError', async () => {
    const rateLimit = createRateLimiter({ limit: 1, intervalMs: 60_000 })
    await rateLimit.acquire()
    const db = open(makeKnex, { ...aurora.iam, rateLimit, maxWaitMs: 50 })
    expect(await rejectionOf(db.raw('SELECT 1'))).toMatchObject({
      code: 'ERR_AURORA_IAM_RATE_LIMITED',
      retryable: true,
      cause: { code: 'ERR_RATE_LIMIT_TIMEOUT' },
    })
    expect(aurora.log.connections).toBe(0)
  })

  test('a database that restarts: running queries fail, then connections, then automatic recovery', async () => {
    const db = open(makeKnex, unlimited(), { pool: { max: 3 } })
    const running = [1, 2, 3].map(() => rejectionOf(db.raw('SELECT SLEEP(10)')))
    await until(() => aurora.log.logins.length === 3)
    aurora.faults.set({ error: { errno: 1053, sqlState: '08S01', message: 'Server shutdown in progress' } })
    // Only what has reached the database is broken: a query may still be on its way there.
    await until(() => aurora.faults.dropConnections() === 0)
    for (const error of await Promise.all(running)) {
      expect(error).toMatchObject({
        code: expect.stringMatching(/^(PROTOCOL_CONNECTION_LOST|ECONNRESET|EPIPE|ER_SERVER_SHUTDOWN)$/),
      })
    }
    expect(await rejectionOf(db.raw('SELECT 1'))).toMatchObject({ code: 'ER_SERVER_SHUTDOWN', errno: 1053 })
    aurora.faults.clear()
    const results = await Promise.allSettled(Array.from({ length: 9 }, () => db.raw('SELECT SLEEP(0.01)')))
    expect(fulfilled(results)).toBe(9)
    expect(aurora.openConnections).toBeLessThanOrEqual(3)
  })

  test('a database that is away: the driver’s own error', async () => {
    const dial = { host: '127.0.0.1', port: await closedPort() }
    const db = open(makeKnex, { ...aurora.iam, rateLimit: false, dial })
    expect(await rejectionOf(db.raw('SELECT 1'))).toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('idle connections that broke: replaced before a query gets them', async () => {
    const db = open(makeKnex, unlimited(), { pool: { max: 3 } })
    await Promise.all([1, 2, 3].map(() => db.raw('SELECT SLEEP(0.02)')))
    aurora.faults.dropConnections()
    await until(() => aurora.openConnections === 0)
    // The news of it reaches this end a moment later.
    await new Promise((resolve) => setTimeout(resolve, 50))
    const results = await Promise.allSettled([1, 2, 3].map(() => db.raw('SELECT 1')))
    expect(fulfilled(results)).toBe(3)
  })
})

/** Returns a port without a listener: one that was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
