import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { startLine } from '@aurora-iam/test-support/proxy'
import { expect, test } from 'vitest'
import { Random } from '../chaos/random.ts'
import { clientFor } from './support.ts'

const LOGINS = 100
// By it the last login starts after 12 seconds: later than Prisma's default limit of 10 seconds for a connection.
const RATE = 8

const aurora = await localAurora()

test('100 logins over a line of 80 ms with late segments: none is lost', async () => {
  aurora.setThrottle({ limit: RATE, intervalMs: 1_000 })
  const random = new Random(12)
  await using line = await startLine(aurora.port, {
    oneWayMs: 40,
    lateMs: () => (random.next() < 0.1 ? random.between(200, 600) : 0),
  })
  const prisma = clientFor(
    aurora,
    { port: line.port, connectionLimit: LOGINS },
    { ...aurora.iam, port: aurora.port, rateLimit: RATE },
  )
  await prisma.$connect()
  // Each keeps its connection until all are there, so that each needs its own.
  const queries = Array.from({ length: LOGINS }, () => prisma.$queryRaw`SELECT SLEEP(15)`)
  const outcomes = await Promise.allSettled(queries)
  const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []))
  expect(lost).toEqual([])
  expect(prisma.$iam.status()).toMatchObject({ connectionsOpened: LOGINS, connectionsFailed: 0 })
  await prisma.$disconnect()
}, 120_000)
