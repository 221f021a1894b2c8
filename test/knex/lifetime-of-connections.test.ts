import { createAuroraIam } from '@aurora-iam/core'
import { warmUp, withAuroraIam } from '@aurora-iam/knex'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import knex, { type Knex } from 'knex'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const aurora = await localAurora()
let db: Knex

/** The server's answer to a change after its demotion. */
const DEMOTED = `SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290,
  MESSAGE_TEXT = 'The MySQL server is running with the --read-only option so it cannot execute this statement'`

beforeEach(() => {
  // Knex prints each connection that failed.
  vi.spyOn(console, 'log').mockImplementation(() => {})
})

afterEach(async () => {
  vi.restoreAllMocks()
  await db.destroy()
})

const idOf = async () => {
  const [rows] = await db.raw('SELECT CONNECTION_ID() AS id, SLEEP(0.3)')
  return rows[0].id as number
}

test('1290 after a demotion: the error is unchanged, and no query gets a connection to that address', async () => {
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: { limit: 1_000 } })
  const created: unknown[] = []
  const { host, port, database } = aurora
  db = knex(
    withAuroraIam(
      {
        client: 'mysql2',
        connection: { host, port, database, user: 'app' },
        pool: {
          min: 0,
          max: 3,
          afterCreate: (connection: unknown, done: (error?: Error | null) => void) => {
            created.push(connection)
            done(null)
          },
        },
      },
      iam,
    ),
  )
  const before = await Promise.all([idOf(), idOf(), idOf()])
  expect(await rejectionOf(db.raw(DEMOTED))).toMatchObject({ errno: 1290 })
  expect(iam.stats().pools).toMatchObject([{ generation: 1, retired: { 'read-only': 3 } }])
  const after = await Promise.all([idOf(), idOf(), idOf()])
  expect(after.filter((id) => before.includes(id))).toEqual([])
  expect(created).toHaveLength(6)
})

test('the pool options of an earlier result: one lifetime for each connection, and the hooks of the caller once', async () => {
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: false })
  let created = 0
  const config: Knex.Config = {
    client: 'mysql2',
    connection: connectionOf(),
    pool: {
      min: 0,
      max: 3,
      afterCreate: (_: unknown, done: (error?: Error | null) => void) => {
        created++
        done(null)
      },
    },
  }
  const { pool } = withAuroraIam(config, iam)
  db = knex(withAuroraIam({ ...config, pool: pool as Knex.PoolConfig }, iam))
  await db.raw('SELECT 1')
  expect(iam.stats().pools).toMatchObject([{ open: 1 }])
  expect(created).toBe(1)
})

const connectionOf = () => ({ host: aurora.host, port: aurora.port, database: aurora.database, user: 'app' })

test('warmUp: that many connections are open, each reported, and queries open no other', async () => {
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: createRateLimiter({ limit: 1_000 }) })
  const config = { client: 'mysql2', connection: connectionOf(), pool: { min: 0, max: 5 } }
  db = knex(withAuroraIam(config, iam))
  const progress: string[] = []
  await warmUp(db, 5, { onProgress: (opened, count) => progress.push(`${opened}/${count}`) })
  expect(progress).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5'])
  await Promise.all(Array.from({ length: 10 }, idOf))
  expect(iam.stats()).toMatchObject({ connectionsOpened: 5, pools: [{ open: 5, waiting: 0 }] })
})

test('warmUp of more than the pool holds, and where logins are rejected: it rejects with what failed', async () => {
  const connection = { ...connectionOf(), user: 'unknown' }
  db = knex(withAuroraIam({ client: 'mysql2', connection, pool: { min: 0, max: 2 } }, aurora.iam))
  expect(await rejectionOf(warmUp(db, 3))).toMatchObject({
    code: 'ERR_AURORA_IAM_INVALID_OPTION',
    message: expect.stringContaining('from 1 to 2'),
  })
  expect(await rejectionOf(warmUp(db, 2))).toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' })
})

test('a paused cluster, and an acquireConnectionTimeout that is too short: the error names the pause and that option', async () => {
  aurora.pause({ resumeAfterMs: 60_000 })
  const config = {
    client: 'mysql2',
    connection: connectionOf(),
    pool: { min: 0 },
    acquireConnectionTimeout: 1_500,
  }
  db = knex(withAuroraIam(config, { ...aurora.iam, resumeTimeoutMs: 60_000 }))
  expect(await rejectionOf(db.raw('SELECT 1'))).toMatchObject({
    code: 'ERR_AURORA_IAM_PAUSED',
    option: 'acquireConnectionTimeout',
    message: expect.stringContaining('Raise `acquireConnectionTimeout` above `resumeTimeoutMs` (60000 ms)'),
  })
  aurora.resume()
})
