import { createAuroraIam } from '@aurora-iam/core'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora, READER, withWriterAt } from '@aurora-iam/test-support/local-aurora'
import { startSilentServer } from '@aurora-iam/test-support/silent-server'
import { until } from '@aurora-iam/test-support/until'
import { expect, test } from 'vitest'
import { clientFor } from './support.ts'

const aurora = await localAurora({ hostnames: [READER] })

test('a writer that becomes unresponsive with 40 workers on it: the reader logs in while all wait', async () => {
  const dead = await startSilentServer(aurora.port)
  dead.recover()
  const limiter = createRateLimiter({ limit: 20 })
  const iam = createAuroraIam({ ...withWriterAt(dead.port, aurora), rateLimit: limiter })
  const client = (hostname: string, connectionLimit: number) =>
    clientFor(aurora, { host: hostname, port: aurora.port, connectionLimit }, iam)
  const writer = client(aurora.hostname, 40)
  const reader = client(READER, 10)
  // Before its first connection Prisma opens no second one.
  await writer.$connect()
  dead.fallSilent()
  const workers = Array.from({ length: 40 }, () => writer.$queryRaw`SELECT SLEEP(0.2)`.catch(() => {}))
  await until(() => limiter.stats().cancelled >= 19)
  // With the defaults of both clients: none ends with P2024.
  await Promise.all(Array.from({ length: 10 }, () => reader.$queryRaw`SELECT SLEEP(0.1)`))
  expect(limiter.stats()).toMatchObject({ failed: 0, inFlight: 0 })
  iam.close()
  dead.close()
  await Promise.all([...workers, writer.$disconnect(), reader.$disconnect()])
})
