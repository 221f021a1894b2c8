import { createAuroraIam } from '@aurora-iam/core'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { gateLimiter } from '@aurora-iam/test-support/gate-limiter'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { describe, expect, test } from 'vitest'
import { opener, VERSIONS } from './support.ts'

const aurora = await localAurora()

const open = opener(() => aurora)

const TOO_LATE = {
  name: 'KnexTimeoutError',
  message: expect.stringContaining('Timeout acquiring a connection'),
}

describe.each(VERSIONS)('the pool of $name', ({ makeKnex }) => {
  test('30 slow queries at 10 new connections a second: all succeed', async () => {
    aurora.setThrottle({ limit: 10, intervalMs: 1_000 })
    const rateLimit = createRateLimiter({ limit: 10, intervalMs: 1_000 })
    const db = open(makeKnex, { ...aurora.iam, rateLimit }, { pool: { max: 30 } })
    await Promise.all(Array.from({ length: 30 }, () => db.raw('SELECT SLEEP(2.5)')))
    expect(aurora.log.logins).toHaveLength(30)
    expect(aurora.log.refusals).toEqual([])
  })

  test('acquireConnectionTimeout of the caller: it holds, and the connection that comes later is used', async () => {
    const { limiter, grant } = await gateLimiter()
    const config = { acquireConnectionTimeout: 100 }
    const db = open(makeKnex, { ...aurora.iam, rateLimit: limiter }, config)
    expect(await rejectionOf(db.raw('SELECT 1'))).toMatchObject(TOO_LATE)
    expect(limiter.stats().waiting).toBe(1)
    grant()
    await until(() => aurora.log.logins.length === 1)
    await db.raw('SELECT 1')
    expect(aurora.log.connections).toBe(1)
  })

  test('createTimeoutMillis of the caller: it holds, and the connection that comes later is closed', async () => {
    const { limiter, grant } = await gateLimiter()
    const config = { acquireConnectionTimeout: 60_000, pool: { max: 1, createTimeoutMillis: 100 } }
    const db = open(makeKnex, { ...aurora.iam, rateLimit: limiter }, config)
    expect(await rejectionOf(db.raw('SELECT 1'))).toMatchObject(TOO_LATE)
    grant()
    await until(() => aurora.log.logins.length === 1)
    await until(() => aurora.openConnections === 0)
    expect(aurora.log.connections).toBe(1)
  })

  test('destroy(): the connections that wait finish first, within their longest wait', async () => {
    const { limiter, grant } = await gateLimiter()
    const db = open(makeKnex, { ...aurora.iam, rateLimit: limiter })
    const query = rejectionOf(db.raw('SELECT 1'))
    await until(() => limiter.stats().waiting === 1)
    let isDestroyed = false
    const destroyed = db.destroy().then(() => {
      isDestroyed = true
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(isDestroyed).toBe(false)
    grant()
    await destroyed
    expect(await query).toMatchObject({ message: 'aborted' })
    await until(() => aurora.openConnections === 0)
  })

  test('destroy() after the AuroraIam was closed: done at once', async () => {
    const { limiter } = await gateLimiter()
    const iam = createAuroraIam({ ...aurora.iam, rateLimit: limiter })
    const db = open(makeKnex, iam)
    const query = rejectionOf(db.raw('SELECT 1'))
    await until(() => limiter.stats().waiting === 1)
    iam.close()
    await db.destroy()
    expect(await query).toMatchObject({ message: 'aborted' })
    expect(limiter.stats().waiting).toBe(0)
    expect(aurora.log.connections).toBe(0)
  })

  test('destroy() during queries: they finish, and new ones are refused', async () => {
    const db = open(makeKnex, { ...aurora.iam, rateLimit: false }, { pool: { max: 2 } })
    const running = [1, 2].map(() => db.raw('SELECT SLEEP(0.2) AS slept'))
    const results = Promise.allSettled(running)
    await until(() => aurora.log.logins.length === 2)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await db.destroy()
    for (const { status } of await results) expect(status).toBe('fulfilled')
    expect(await rejectionOf(db.raw('SELECT 1'))).toMatchObject({ message: 'Unable to acquire a connection' })
    await until(() => aurora.openConnections === 0)
  })
})
