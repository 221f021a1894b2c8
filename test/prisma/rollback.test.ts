import type { AuroraIamPrismaOptions } from '@aurora-iam/prisma'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { startSilenceableProxy } from '@aurora-iam/test-support/proxy'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { untilDone } from '@aurora-iam/test-support/until'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { clientFor, createTables } from './support.ts'

const BOUND_MS = 5_000
const TIMEOUT_MS = 1_000
const aurora = await localAurora()

beforeAll(async () => {
  const prisma = clientFor(aurora)
  await createTables(prisma)
  await prisma.$disconnect()
})

afterEach(() => vi.useRealTimers())

type Prisma = ReturnType<typeof clientFor>
type Transaction = Parameters<Parameters<Prisma['$transaction']>[0]>[0]

/** Moves the clock by `durationMs`, with time on the way for what is on the wire. */
async function elapse(durationMs: number): Promise<void> {
  for (let leftMs = durationMs; leftMs > 0; leftMs -= 50) {
    await vi.advanceTimersByTimeAsync(50)
    await new Promise(setImmediate)
  }
}

async function connectThrough(network: { readonly port: number }, options: AuroraIamPrismaOptions) {
  const iam = { ...aurora.iam, port: aurora.port, rateLimit: false } as const
  const prisma = clientFor(aurora, { port: network.port, ...options }, iam)
  // On a busy machine a login may take longer than connectTimeoutMs.
  await untilDone(() => prisma.$connect())
  return prisma
}

/** Begins a transaction of `prisma`, on a clock that stands still, once its callback has come as far as `work`. */
async function begin(prisma: Prisma, work: (tx: Transaction) => Promise<unknown>) {
  // A time limit reads this clock as well, to learn whether the process was blocked.
  useMovedClock('setTimeout')
  let outcome = Promise.resolve<Awaited<ReturnType<typeof rejectionOf>> | undefined>(undefined)
  await new Promise<void>((arrived) => {
    outcome = rejectionOf(
      prisma.$transaction(
        async (tx) => {
          await tx.author.create({ data: { name: 'nobody' } })
          const working = work(tx)
          arrived()
          await working
        },
        { timeout: TIMEOUT_MS },
      ),
    )
  })
  return { outcome: () => outcome }
}

describe.each([
  ['raw SQL', async (tx: Transaction) => tx.$queryRaw`SELECT SLEEP(100)`, 'P2028'],
  ['a query', async (tx: Transaction) => tx.author.findMany(), 'P2028'],
  // Its COMMIT has Prisma connect once more, to find out that there is no such transaction any longer.
  ['nothing', () => new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS + 1)), 'P1001'],
] as const)(
  'a network that stops delivering while a transaction is at %s',
  (_what, work, disconnectedCode) => {
    test('the network stops delivering: the connection is lost, and the transaction is P2028', async () => {
      await using network = await startSilenceableProxy(aurora.port)
      const prisma = await connectThrough(network, { connectionLimit: 1 })
      const { outcome } = await begin(prisma, (tx) => {
        network.fallSilent()
        return work(tx)
      })
      await elapse(TIMEOUT_MS + BOUND_MS)
      expect(await outcome()).toMatchObject({ code: 'P2028' })
      expect(prisma.$iam.status()).toMatchObject({ active: 0, idle: 0 })
      await prisma.$disconnect()
    })

    test('the network stops delivering: $disconnect still ends', async () => {
      await using network = await startSilenceableProxy(aurora.port)
      const prisma = await connectThrough(network, { connectTimeoutMs: 400 })
      const { outcome } = await begin(prisma, (tx) => {
        network.fallSilent()
        return work(tx)
      })
      // By then the query is on its way.
      await elapse(50)
      const disconnected = prisma.$disconnect()
      await elapse(BOUND_MS + TIMEOUT_MS)
      await disconnected
      vi.useRealTimers()
      expect(await outcome()).toMatchObject({ code: disconnectedCode })
    })
  },
)

// The last, because the database sleeps on.
test('$disconnect and a query in a transaction: it waits 5 seconds at most, and nothing is committed', async () => {
  const prisma = clientFor(aurora)
  await prisma.$connect()
  const { outcome } = await begin(prisma, async (tx) => tx.$queryRaw`SELECT SLEEP(100)`)
  await elapse(50)
  const disconnected = prisma.$disconnect()
  await elapse(BOUND_MS + TIMEOUT_MS)
  await disconnected
  vi.useRealTimers()
  expect(await outcome()).toMatchObject({ code: 'P2028' })
  await expect.poll(() => prisma.author.count()).toBe(0)
  await prisma.$disconnect()
})
