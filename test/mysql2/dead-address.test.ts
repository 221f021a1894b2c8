import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter, redisStore } from '@aurora-iam/rate-limit'
import { localAurora, READER, withWriterAt } from '@aurora-iam/test-support/local-aurora'
import { RedisServer } from '@aurora-iam/test-support/redis-server'
import { startFullBacklog, startSilentServer } from '@aurora-iam/test-support/silent-server'
import { until } from '@aurora-iam/test-support/until'
import { Redis } from 'ioredis'
import mysql from 'mysql2/promise'
import { afterEach, expect, test } from 'vitest'

const aurora = await localAurora({ hostnames: [READER] })

const closing: Array<() => unknown> = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

function poolOf(host: string, iam: ReturnType<typeof createAuroraIam>, user = 'app') {
  const { port, database } = aurora
  const pool = mysql.createPool(
    withAuroraIam({ host, port, user, database, connectionLimit: 40, connectTimeout: 0 }, iam),
  )
  // Connections that are being opened fail, and so does the end of their pool.
  closing.push(() => pool.end().catch(() => {}))
  return pool
}

/** Returns options with which the writer's name leads to `port`, and the reader's to Local Aurora. */
function settings(port: number, options: AuroraIamOptions): AuroraIamOptions {
  return { ...withWriterAt(port, aurora), tcpTimeoutMs: 0, ...options }
}

/** Starts a server that accepts connections and sends nothing, until it is told to lead to Local Aurora. */
async function silentServer() {
  const server = await startSilentServer(aurora.port)
  closing.push(() => server.close())
  return server
}

const query = (pool: mysql.Pool) => pool.query('SELECT 1')

test('a writer that accepts and sends nothing, 40 workers on it: the reader logs in while all wait', async () => {
  const dead = await silentServer()
  const limiter = createRateLimiter({ limit: 20 })
  const iam = createAuroraIam(settings(dead.port, { rateLimit: limiter }))
  const writer = poolOf(aurora.hostname, iam)
  const workers = Array.from({ length: 40 }, () => query(writer).catch(() => {}))
  await until(() => dead.connections === 20)
  const reader = poolOf(READER, iam)
  // None of the attempts on the writer ever ends, so the permits are theirs or the reader's.
  await Promise.all(Array.from({ length: 10 }, () => query(reader)))
  expect(limiter.stats()).toMatchObject({ succeeded: 10, failed: 0, inFlight: 0 })
  // The address has its own limit while it does not answer.
  expect(dead.connections).toBe(20)
  for (const close of closing.splice(0)) await close()
  await Promise.all(workers)
})

test('a writer whose SYN packets are swallowed: the reader logs in while all wait', async () => {
  const dead = await startFullBacklog()
  closing.push(() => dead.close())
  const limiter = createRateLimiter({ limit: 20 })
  const iam = createAuroraIam(settings(dead.port, { rateLimit: limiter }))
  const writer = poolOf(aurora.hostname, iam)
  const workers = Array.from({ length: 40 }, () => query(writer).catch(() => {}))
  // Each held a permit, and gave it back.
  await until(() => limiter.stats().cancelled >= 20)
  const reader = poolOf(READER, iam)
  await Promise.all(Array.from({ length: 10 }, () => query(reader)))
  expect(limiter.stats()).toMatchObject({ succeeded: 10, failed: 0, inFlight: 0 })
  iam.close()
  await Promise.all(workers)
})

test('the same with the limit of a fleet: the reader logs in while all wait', async () => {
  const dead = await silentServer()
  const server = await RedisServer.start()
  const redis = new Redis(server.port, '127.0.0.1')
  const iam = createAuroraIam(settings(dead.port, { rateLimit: { limit: 20, store: redisStore(redis) } }))
  const writer = poolOf(aurora.hostname, iam)
  const workers = Array.from({ length: 40 }, () => query(writer).catch(() => {}))
  await until(() => dead.connections === 20)
  const reader = poolOf(READER, iam)
  await Promise.all(Array.from({ length: 10 }, () => query(reader)))
  expect(aurora.log.logins).toHaveLength(10)
  expect(dead.connections).toBe(20)
  iam.close()
  for (const close of closing.splice(0)) await close()
  await Promise.all(workers)
  redis.disconnect()
  await server.close()
})

test('a tunnel that refuses connections, 40 workers that retry at once: the other one logs in', async () => {
  const closed = createServer()
  await once(closed.listen(0, '127.0.0.1'), 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  const limiter = createRateLimiter({ limit: 20 })
  const iam = createAuroraIam(settings(port, { rateLimit: limiter }))
  const writer = poolOf(aurora.hostname, iam)
  let isOver = false
  let failures = 0
  const workers = Array.from({ length: 40 }, async () => {
    while (!isOver) await query(writer).catch(() => failures++)
  })
  await until(() => failures >= 20)
  await Promise.all(Array.from({ length: 15 }, () => query(poolOf(READER, iam, 'app'))))
  isOver = true
  expect(limiter.stats()).toMatchObject({ succeeded: 15, failed: 0 })
  iam.close()
  await Promise.all(workers)
})

test('a writer that answers again: the server never sees more tokens in any interval than the limit', async () => {
  const dead = await silentServer()
  const limit = { limit: 8, intervalMs: 400 }
  aurora.setThrottle(limit)
  const limiter = createRateLimiter(limit)
  const iam = createAuroraIam(settings(dead.port, { rateLimit: limiter }))
  const workers = Array.from({ length: 24 }, () => query(poolOf(aurora.hostname, iam)))
  await until(() => dead.connections === 8 && limiter.stats().inFlight === 0)
  const reader = poolOf(READER, iam)
  const readers = Array.from({ length: 12 }, () => query(reader))
  dead.recover()
  await Promise.all([...workers, ...readers])
  expect(aurora.log.refusals).toHaveLength(0)
  expect(aurora.log.peakTokens(limit.intervalMs)).toBeLessThanOrEqual(limit.limit)
  expect(limiter.stats()).toMatchObject({ throttled: 0, failed: 0, inFlight: 0, expired: 0 })
})
