import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora, READER, withWriterAt } from '@aurora-iam/test-support/local-aurora'
import { startSilentServer } from '@aurora-iam/test-support/silent-server'
import { until } from '@aurora-iam/test-support/until'
import { createAuroraIam, withAuroraIam } from '@aurora-iam/typeorm'
import { expect, test } from 'vitest'
import { VERSIONS } from './support.ts'

const aurora = await localAurora({ hostnames: [READER] })

test.each(VERSIONS)(
  'replication of $name, a writer that becomes unresponsive with 40 workers on it: the reader logs in while all wait',
  async ({ open }) => {
    const dead = await startSilentServer(aurora.port)
    dead.recover()
    const limiter = createRateLimiter({ limit: 20 })
    const options = { ...withWriterAt(dead.port, aurora), tcpTimeoutMs: 0, rateLimit: limiter }
    const iam = createAuroraIam(options)
    const node = { port: aurora.port, username: 'app', database: 'app' }
    const dataSource = open(
      withAuroraIam(
        {
          type: 'mysql',
          poolSize: 40,
          connectTimeout: 0,
          replication: {
            master: { ...node, host: aurora.hostname },
            slaves: [{ ...node, host: READER }],
          },
        },
        iam,
      ),
    )
    await dataSource.initialize()
    dead.fallSilent()
    const { succeeded } = limiter.stats()
    const runners = (mode: 'master' | 'slave', count: number) =>
      Array.from({ length: count }, () => dataSource.createQueryRunner(mode))
    // One gets the connection that is open.
    const workers = runners('master', 40).map((runner) => runner.connect().catch(() => {}))
    await until(() => limiter.stats().cancelled >= 20)
    const readers = runners('slave', 10)
    await Promise.all(readers.map((runner) => runner.query('SELECT 1')))
    expect(limiter.stats().succeeded - succeeded).toBeGreaterThanOrEqual(9)
    expect(limiter.stats()).toMatchObject({ failed: 0, inFlight: 0 })
    iam.close()
    dead.close()
    await Promise.all(workers)
    await dataSource.destroy().catch(() => {})
  },
)
