import dns from 'node:dns'
import { createAuroraIam } from '@aurora-iam/core'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { afterEach, expect, test, vi } from 'vitest'
import { clientFor } from './support.ts'

const aurora = await localAurora()
const open: Array<ReturnType<typeof clientFor>> = []

/** The server's answer to a change after its demotion. */
const DEMOTED = `SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290,
  MESSAGE_TEXT = 'The MySQL server is running with the --read-only option so it cannot execute this statement'`

afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  for (const prisma of open.splice(0)) await prisma.$disconnect()
})

function connect(connectionLimit: number, options = {}) {
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: { limit: 1_000 }, ...options })
  const prisma = clientFor(aurora, { connectionLimit }, iam)
  open.push(prisma)
  return { iam, prisma }
}

type Prisma = ReturnType<typeof clientFor>

async function idsOf(prisma: Prisma, count: number): Promise<unknown[]> {
  const rows = Array.from(
    { length: count },
    async () => prisma.$queryRaw<Array<{ id: bigint }>>`SELECT CONNECTION_ID() AS id, SLEEP(0.1)`,
  )
  return (await Promise.all(rows)).map(([row]) => row?.id)
}

test('1290 after a demotion: the error is unchanged, and every connection to that address is replaced', async () => {
  const { iam, prisma } = connect(5)
  const before = await idsOf(prisma, 5)
  const error = await rejectionOf(prisma.$executeRawUnsafe(DEMOTED))
  expect(error).toMatchObject({ code: 'P2010', message: expect.stringContaining('--read-only') })
  expect(iam.stats().pools).toMatchObject([])
  const after = await idsOf(prisma, 5)
  expect(after.filter((id) => before.includes(id))).toEqual([])
  expect(iam.stats().pools).toMatchObject([
    { open: 5, retiring: 0, generation: 1, retired: { 'read-only': 5 } },
  ])
})

test('1290 in a transaction: its connection is replaced after it, not in it', async () => {
  const { prisma } = connect(1)
  await prisma.$transaction(async (tx) => {
    const id = () => tx.$queryRaw`SELECT CONNECTION_ID() AS id`
    const before = await id()
    await rejectionOf(tx.$executeRawUnsafe(DEMOTED))
    expect(await id()).toEqual(before)
  })
  expect(prisma.$iam.status()).toMatchObject({ connectionsOpened: 1 })
  await prisma.$queryRaw`SELECT 1`
  expect(prisma.$iam.status()).toMatchObject({ connectionsOpened: 2, idle: 1 })
})

test('the name of the endpoint leads to another address: connections to the old one are replaced', async () => {
  let address = '127.0.0.1'
  vi.spyOn(dns, 'lookup').mockImplementation(((
    _host: string,
    options: { all?: boolean },
    callback: Callback,
  ) => {
    const answer = [{ address, family: 4 }]
    process.nextTick(() => (options.all ? callback(null, answer) : callback(null, address, 4)))
  }) as never)
  const dial = { host: 'moving.example', port: aurora.port }
  const { iam, prisma } = connect(2, { dial, watchEndpointMs: 1_000 })
  await idsOf(prisma, 2)
  address = '127.0.0.2'
  await until(() => prisma.$iam.status().idle === 0)
  expect(iam.stats()).toMatchObject({ connectionsOpened: 2 })
  address = '127.0.0.1'
  await prisma.$queryRaw`SELECT 1`
  expect(iam.stats()).toMatchObject({ connectionsOpened: 3 })
})

type Callback = (error: null, address: unknown, family?: number) => void

test('a lifetime that is over: the idle connection is replaced, one in a transaction is not', async () => {
  useMovedClock('setTimeout')
  const { iam, prisma } = connect(2, { maxLifetimeMs: 10_000 })
  await prisma.$transaction(
    async (tx) => {
      await prisma.$queryRaw`SELECT 1`
      expect(prisma.$iam.status()).toMatchObject({ active: 1, idle: 1 })
      await vi.advanceTimersByTimeAsync(11_000)
      expect(prisma.$iam.status()).toMatchObject({ active: 1, idle: 0 })
      expect(await tx.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }])
    },
    { timeout: 3_600_000 },
  )
  expect(iam.stats().pools).toMatchObject([{ retired: { lifetime: 1 } }])
})

test('warmUp: that many connections are open, and each step is reported', async () => {
  const { prisma } = connect(3)
  expect(await rejectionOf(prisma.$iam.warmUp(3))).toMatchObject({
    code: 'ERR_AURORA_IAM_INVALID_OPTION',
    message: expect.stringContaining('$connect()'),
  })
  await prisma.$connect()
  const steps: number[][] = []
  await prisma.$iam.warmUp(3, { onProgress: (opened, count) => steps.push([opened, count]) })
  expect(steps).toEqual([
    [1, 3],
    [2, 3],
    [3, 3],
  ])
  expect(prisma.$iam.status()).toMatchObject({ idle: 3, active: 0 })
  expect(await rejectionOf(prisma.$iam.warmUp(4))).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION' })
})

test('a paused cluster, and an acquireTimeoutMs that is too short: the error names the pause and that option', async () => {
  aurora.pause({ resumeAfterMs: 60_000 })
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: { limit: 1_000 }, resumeTimeoutMs: 60_000 })
  const prisma = clientFor(aurora, { connectionLimit: 1, acquireTimeoutMs: 1_500 }, iam)
  open.push(prisma)
  expect(await rejectionOf(prisma.$queryRaw`SELECT 1`)).toMatchObject({
    code: 'ERR_AURORA_IAM_PAUSED',
    message: expect.stringContaining('Raise `acquireTimeoutMs` above `resumeTimeoutMs` (60000 ms)'),
  })
  aurora.resume()
})
