import { createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { gateLimiter } from '@aurora-iam/test-support/gate-limiter'
import { localAurora, READER } from '@aurora-iam/test-support/local-aurora'
import { until } from '@aurora-iam/test-support/until'
import mysql from 'mysql2/promise'
import { expect, test } from 'vitest'

const aurora = await localAurora({ hostnames: [READER] })

// The second is what Sequelize does with the readers of its `replication`.
test.each(['the host of the options', 'another host beside the hooks'])(
  '2 connections behind 100 of another pool of one limiter, to %s: they are among the next 8',
  async (host) => {
    const gate = await gateLimiter(8)
    const { hostname, database, host: address, port } = aurora
    const iam = createAuroraIam({
      region: aurora.region,
      credentials: aurora.credentials,
      ca: aurora.ca,
      dial: { host: address, port },
      rateLimit: gate.limiter,
    })
    const poolOf = () =>
      mysql.createPool({
        ...withAuroraIam({ host: hostname, port, user: 'app', database }, iam),
        ...(host.startsWith('another') && { host: READER }),
        connectionLimit: 100,
      } as mysql.PoolOptions)
    const [large, small] = [poolOf(), poolOf()]
    const answered = { large: 0, small: 0 }
    const query = (name: 'large' | 'small', pool: mysql.Pool) =>
      pool.query('SELECT 1').then(
        () => answered[name]++,
        () => {},
      )
    const queries = Array.from({ length: 100 }, () => query('large', large))
    await until(() => gate.waiting === 100)
    queries.push(...Array.from({ length: 2 }, () => query('small', small)))
    await until(() => gate.waiting === 102)
    gate.open()
    await until(() => answered.large + answered.small >= 8)
    expect(answered.small).toBeGreaterThanOrEqual(2)
    iam.close()
    await Promise.all([large.end(), small.end(), ...queries])
  },
)
