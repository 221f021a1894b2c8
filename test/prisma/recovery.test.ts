import { createAuroraIam } from '@aurora-iam/core'
import { createPrincipal } from '@aurora-iam/local'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { recordEvents } from '@aurora-iam/test-support/record-events'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { expectNoSocket } from '../chaos/hostile-rig.ts'
import { OK, trusted } from '../chaos/hostile-scripts.ts'
import { startHostileServer } from '../chaos/hostile-server.ts'
import { clientFor, untilRunning } from './support.ts'

const MINUTE_MS = 60_000
const aurora = await localAurora()
const open: Array<ReturnType<typeof clientFor>> = []

function connect(...args: Parameters<typeof clientFor>) {
  const prisma = clientFor(...args)
  open.push(prisma)
  return prisma
}

/** Runs one query on each of `count` connections, all at once. */
function onMany(prisma: ReturnType<typeof connect>, count: number): Promise<unknown[]> {
  return Promise.all(Array.from({ length: count }, () => prisma.$queryRaw`SELECT SLEEP(0.2)`))
}

afterEach(async () => {
  vi.useRealTimers()
  aurora.faults.clear()
  for (const prisma of open.splice(0)) await prisma.$disconnect()
})

test('tokens age in the middle of a run: connections opened later have new ones, those that are open stay', async () => {
  let now = Date.now()
  aurora.setClock(() => now)
  const prisma = connect(aurora)
  for (const count of [2, 5, 10]) {
    await onMany(prisma, count)
    // A connection that was slower than the queries of others is opened all the same.
    await until(() => prisma.$iam.status().connectionsOpened === count)
    now += 20 * MINUTE_MS
  }
  expect(aurora.log.logins).toHaveLength(10)
  expect(aurora.log.refusals).toHaveLength(0)
  expect(prisma.$iam.status()).toMatchObject({ connectionsOpened: 10, connectionsFailed: 0, tokensSigned: 3 })
})

test('many connections at once: no warning of Node', async () => {
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  await onMany(connect(aurora, { connectionLimit: 20 }), 20)
  await new Promise(setImmediate)
  process.off('warning', note)
  expect(warnings).toEqual([])
})

test('a server that stops answering the writer check: a time-out', async () => {
  await using silent = await startHostileServer(aurora.hostname)
  silent.script = trusted((session) => session.sendPacket(3, OK))
  const { port } = aurora
  const iam = createAuroraIam({
    ...aurora.iam,
    port,
    ca: silent.certificates.ca,
    requireWriter: true,
    rateLimit: false,
  })
  const prisma = connect(aurora, { port: silent.port, connectTimeoutMs: 200 }, iam)
  expect(await rejectionOf(prisma.$connect())).toMatchObject({ code: 'P1001' })
  await expectNoSocket(silent.takeSessions())
  expect(iam.stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 1 })
})

test('a connection that led to a reader: a failure, and no throttling', async () => {
  await aurora.restart({ readOnly: true })
  onTestFinished(() => aurora.restart())
  const rateLimit = createRateLimiter({ limit: 100 })
  const iam = createAuroraIam({ ...aurora.iam, requireWriter: true, rateLimit })
  const refused = recordEvents('aurora-iam:connect-failed')
  const code = 'ERR_AURORA_IAM_NOT_A_WRITER'
  expect(await rejectionOf(connect(aurora, {}, iam).$connect())).toMatchObject({ code })
  expect(iam.stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 1, lastError: { code } })
  expect(refused).toMatchObject([{ stage: 'login', error: { code } }])
  expect(rateLimit.stats()).toMatchObject({ succeeded: 1, throttled: 0, failed: 0, inFlight: 0 })
})

test('logins are rejected for a while, then accepted: the same client works on', async () => {
  const prisma = connect(aurora)
  aurora.faults.set({ refuse: 'NotAuthorized' })
  for (let i = 0; i < 5; i++) {
    expect(await rejectionOf(prisma.$queryRaw`SELECT 1`.then())).toMatchObject({ code: 'P1000' })
  }
  aurora.faults.clear()
  expect(await prisma.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }])
  expect(prisma.$iam.status()).toMatchObject({ connectionsOpened: 1, connectionsFailed: 5 })
})

describe('a rejected token', () => {
  test('a rejected token from the cache: replaced, and the login repeated once, with a separate permit', async () => {
    const revoked = aurora.credentials
    const renewed = createPrincipal()
    let current: typeof revoked = revoked
    const rateLimit = createRateLimiter({ limit: 100 })
    const iam = createAuroraIam({ ...aurora.iam, credentials: async () => current, rateLimit })
    const { hostname, port } = aurora
    await iam.token({ hostname, port, username: 'app' })
    aurora.principals.remove(revoked.accessKeyId)
    aurora.principals.add(renewed)
    current = renewed
    const prisma = connect(aurora, {}, iam)
    expect(await prisma.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }])
    expect(prisma.$iam.status()).toMatchObject({
      connectionsOpened: 1,
      connectionsFailed: 1,
      tokensSigned: 2,
    })
    expect(rateLimit.stats()).toMatchObject({ granted: 2 })
    aurora.principals.add(revoked)
  })

  test('a rejected token that was signed for this login: no retry', async () => {
    aurora.faults.set({ refuse: 'NotAuthorized' })
    const prisma = connect(aurora)
    await rejectionOf(prisma.$connect())
    expect(aurora.log.connections).toBe(1)
    expect(prisma.$iam.status()).toMatchObject({ tokensSigned: 1, connectionsFailed: 1 })
  })

  test('a second rejection: no third attempt', async () => {
    const iam = createAuroraIam({ ...aurora.iam, rateLimit: false })
    const { hostname, port } = aurora
    await iam.token({ hostname, port, username: 'app' })
    aurora.faults.set({ refuse: 'NotAuthorized' })
    const error = await rejectionOf(connect(aurora, {}, iam).$connect())
    expect(error).toMatchObject({ code: 'P1000' })
    expect(aurora.log.connections).toBe(2)
  })

  test('many connections rejected at once: each is repeated once, with one new token for all', async () => {
    const iam = createAuroraIam({ ...aurora.iam, rateLimit: false })
    const prisma = connect(aurora, {}, iam)
    await prisma.$connect()
    aurora.faults.set({ refuse: 'ExpiredToken', authDelayMs: 50 })
    const answers = onMany(prisma, 10)
    await expect.poll(() => aurora.log.connections).toBeGreaterThanOrEqual(9)
    aurora.faults.clear()
    await answers
    expect(prisma.$iam.status()).toMatchObject({ tokensSigned: 2 })
  })
})

test('the limiter is full: queries wait in the queue, and all are answered', async () => {
  const rateLimit = createRateLimiter({ limit: 2, intervalMs: 100 })
  const prisma = connect(aurora, {}, { ...aurora.iam, rateLimit })
  const answers = onMany(prisma, 8)
  await expect.poll(() => prisma.$iam.status().waitingForPermit).toBeGreaterThan(0)
  await answers
  expect(aurora.log.peakTokens(100)).toBeLessThanOrEqual(2)
  expect(prisma.$iam.status()).toMatchObject({ queued: 0, connectionsFailed: 0 })
})

describe('after a restart of the database', () => {
  test('a connection known to be dead: no query gets it', async () => {
    const prisma = connect(aurora)
    await onMany(prisma, 5)
    aurora.faults.dropConnections()
    await expect.poll(() => prisma.$iam.status().idle).toBe(0)
    expect(await onMany(prisma, 10)).toHaveLength(10)
  })

  test('a connection that was idle: validated, and replaced if it is dead', async () => {
    useMovedClock()
    const prisma = connect(aurora)
    await onMany(prisma, 5)
    vi.advanceTimersByTime(501)
    // Nothing has told this end yet when the queries set off.
    aurora.faults.dropConnections()
    expect(prisma.$iam.status().idle).toBe(5)
    expect(await onMany(prisma, 5)).toHaveLength(5)
  })

  test('one lost connection: the others are validated', async () => {
    const prisma = connect(aurora)
    await onMany(prisma, 5)
    aurora.faults.dropConnections()
    await rejectionOf(prisma.$queryRaw`SELECT 1`.then())
    expect(await onMany(prisma, 5)).toHaveLength(5)
  })

  test('a database that was away: found again', async () => {
    const prisma = connect(aurora)
    await onMany(prisma, 3)
    aurora.faults.set({ cutAfterBytes: 0 })
    aurora.faults.dropConnections()
    expect(await rejectionOf(prisma.$queryRaw`SELECT 1`.then())).toMatchObject({
      code: expect.stringMatching(/^P/),
    })
    aurora.faults.clear()
    expect(await prisma.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }])
  })
})

describe('$disconnect in the middle', () => {
  test('$disconnect during queries: they finish, and the waits of the others end', async () => {
    const prisma = connect(aurora, { connectionLimit: 1 })
    await prisma.$connect()
    const running = prisma.$queryRaw`SELECT SLEEP(0.3) AS slept`.then()
    const waiting = rejectionOf(prisma.$queryRaw`SELECT 1`.then())
    await expect.poll(() => prisma.$iam.status()).toMatchObject({ active: 1, queued: 1 })
    await prisma.$disconnect()
    expect(await running).toEqual([{ slept: 0 }])
    expect(await waiting).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
    await expect.poll(() => aurora.openConnections).toBe(0)
  })

  test('a connection that waits in the queue: the next request gets its permit', async () => {
    const rateLimit = createRateLimiter({ limit: 2, intervalMs: 60_000 })
    const prisma = connect(aurora, {}, { ...aurora.iam, rateLimit })
    await prisma.$connect()
    const taken = await rateLimit.acquire()
    const queries = [
      prisma.$queryRaw`SELECT SLEEP(0.2)`.then(),
      rejectionOf(prisma.$queryRaw`SELECT 1`.then()),
    ]
    await expect.poll(() => rateLimit.stats().waiting).toBe(1)
    await prisma.$disconnect()
    expect(rateLimit.stats().waiting).toBe(0)
    expect(await queries[1]).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
    taken.cancel()
    await queries[0]
  })

  test('$disconnect during a login: the login is aborted', async () => {
    const prisma = connect(aurora)
    await prisma.$connect()
    aurora.faults.set({ hang: 'after-token' })
    const queries = [
      prisma.$queryRaw`SELECT SLEEP(0.2)`.then(),
      rejectionOf(prisma.$queryRaw`SELECT 1`.then()),
    ]
    await expect.poll(() => aurora.log.tokensReceived).toBe(2)
    await prisma.$disconnect()
    expect(await queries[1]).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
    await queries[0]
    await expect.poll(() => aurora.openConnections).toBe(0)
  })

  // The last, because the database sleeps on.
  test('$disconnect and a query that does not end: it waits 5 seconds at most', async () => {
    const prisma = connect(aurora)
    const endless = rejectionOf(prisma.$queryRaw`SELECT SLEEP(100)`.then())
    await untilRunning(aurora, 'SLEEP(100)')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const disconnected = prisma.$disconnect()
    await vi.advanceTimersByTimeAsync(5_000)
    vi.useRealTimers()
    await disconnected
    expect(await endless).toMatchObject({ code: 'P1017' })
  })
})
