import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { clientFor } from './support.ts'

const aurora = await localAurora()
const open: Array<ReturnType<typeof clientFor>> = []

function connect(...args: Parameters<typeof clientFor>) {
  const prisma = clientFor(...args)
  open.push(prisma)
  return prisma
}

afterEach(async () => {
  vi.useRealTimers()
  aurora.faults.clear()
  for (const prisma of open.splice(0)) await prisma.$disconnect()
})

/** Moves the clocks by `durationMs`, with turns of the event loop for what is on the wire. */
async function elapse(durationMs: number): Promise<void> {
  for (let leftMs = durationMs; leftMs > 0; leftMs -= 100) {
    await vi.advanceTimersByTimeAsync(100)
    await new Promise(setImmediate)
  }
}

/** Keeps one connection in a transaction while `work` runs. */
async function whileOneIsHeld(prisma: ReturnType<typeof connect>, work: () => Promise<void>): Promise<void> {
  await prisma.$transaction(work, { timeout: 3_600_000 })
}

describe('an unresponsive host', () => {
  test('with the default time limits: P1001 after 8 seconds', async () => {
    aurora.faults.set({ hang: 'before-greeting' })
    const prisma = connect(aurora)
    useMovedClock('setTimeout')
    const error = rejectionOf(prisma.$connect())
    await until(() => aurora.openConnections === 1)
    await elapse(8_000)
    expect(await error).toMatchObject({ code: 'P1001', message: expect.stringContaining('connectTimeoutMs') })
  })

  test('with acquireTimeoutMs alone: connectTimeoutMs is the smaller one, and the error is P1001', async () => {
    aurora.faults.set({ hang: 'before-greeting' })
    expect(await rejectionOf(connect(aurora, { acquireTimeoutMs: 300 }).$connect())).toMatchObject({
      code: 'P1001',
    })
  })

  test('with a queue before it: P2024 has the error of the last new connection', async () => {
    useMovedClock('setTimeout')
    const prisma = connect(aurora, { connectionLimit: 2, acquireTimeoutMs: 300, connectTimeoutMs: 200 })
    await whileOneIsHeld(prisma, async () => {
      aurora.faults.set({ hang: 'before-greeting' })
      const [first, second] = [1, 2].map(() => rejectionOf(prisma.author.count().then()))
      await until(() => prisma.$iam.status().opening === 1 && prisma.$iam.status().queued === 2)
      await elapse(300)
      expect(await first).toMatchObject({ code: 'P1001' })
      expect(await second).toMatchObject({
        code: 'P2024',
        message: expect.stringContaining('The last new connection failed: Cannot reach the database'),
        meta: { lastConnectError: { code: 'P1001', message: expect.stringContaining('connectTimeoutMs') } },
      })
    })
  })
})

describe('a queue of the rate limit that is longer than 10 seconds', () => {
  const limiter = () => createRateLimiter({ limit: 1, intervalMs: 15_000, maxWaitMs: 30_000 })

  test('with the default acquireTimeoutMs: queries wait for their permits, and none is lost', async () => {
    useMovedClock('setTimeout')
    const prisma = connect(aurora, { connectionLimit: 2 }, { ...aurora.iam, rateLimit: limiter() })
    await whileOneIsHeld(prisma, async () => {
      const queries = Promise.all([1, 2, 3].map(() => prisma.$queryRaw`SELECT 1 AS one`))
      await until(() => prisma.$iam.status().waitingForPermit === 1)
      await elapse(15_100)
      expect(await queries).toHaveLength(3)
    })
  })

  test('with acquireTimeoutMs: P2024 when it is over', async () => {
    useMovedClock('setTimeout')
    const options = { connectionLimit: 2, acquireTimeoutMs: 10_000 }
    const prisma = connect(aurora, options, { ...aurora.iam, rateLimit: limiter() })
    await whileOneIsHeld(prisma, async () => {
      const query = rejectionOf(prisma.$queryRaw`SELECT 1`.then())
      await until(() => prisma.$iam.status().waitingForPermit === 1)
      await elapse(10_100)
      expect(await query).toMatchObject({
        code: 'P2024',
        message: expect.stringContaining('1 are being opened, 1 of these wait for a permit'),
      })
    })
  })
})

test('an event loop that is blocked for longer than connectTimeoutMs: the login succeeds', async () => {
  const prisma = connect(aurora, { connectTimeoutMs: 1_000 })
  const connected = prisma.$connect()
  await until(() => aurora.log.connections === 1)
  const blockedUntil = performance.now() + 1_500
  while (performance.now() < blockedUntil);
  await connected
  expect(prisma.$iam.status()).toMatchObject({ connectionsOpened: 1, connectionsFailed: 0 })
})
