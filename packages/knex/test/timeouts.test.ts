import type { Knex } from 'knex'
import { describe, expect, test } from 'vitest'
import { withAuroraIam } from '../src/index.ts'

const connection = {
  host: 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com',
  user: 'app',
  database: 'shop',
}

/** Returns the time-outs of a configuration with `config` in it. A connection may wait `maxWaitMs` for its permit. */
function timeouts(config: Knex.Config, maxWaitMs?: number) {
  const iam = { maxWaitMs, credentialsTimeoutMs: 1_000 }
  const { pool, acquireConnectionTimeout } = withAuroraIam({ client: 'mysql2', connection, ...config }, iam)
  return {
    create: pool?.createTimeoutMillis,
    acquire: acquireConnectionTimeout,
    ofPool: pool?.acquireTimeoutMillis,
  }
}

describe('pool time-outs', () => {
  test('wait and login: they fit into createTimeoutMillis, and that into acquireConnectionTimeout', () => {
    const waitMs = 60_000 + 3 * 1_000
    const { create, acquire } = timeouts({}, 60_000)
    expect(create).toBeGreaterThan(waitMs + 10_000)
    expect(acquire).toBeGreaterThan(create as number)
    const slow = timeouts({ connection: { ...connection, connectTimeout: 100_000 } }, 60_000)
    expect(slow.create).toBeGreaterThan(waitMs + 100_000)
    expect(slow.acquire).toBeGreaterThan(slow.create as number)
  })

  test('no time options: 75 and 76 seconds', () => {
    const { pool, acquireConnectionTimeout } = withAuroraIam({ client: 'mysql2', connection })
    expect(pool?.createTimeoutMillis).toBe(75_000)
    expect(acquireConnectionTimeout).toBe(76_000)
  })

  test('longer limits of Knex: never shortened', () => {
    expect(timeouts({}, 100)).toEqual({ create: 30_000, acquire: 60_000, ofPool: undefined })
  })

  test('no connectTimeout: a connection has the time that Knex gives it, after the wait', () => {
    const { create } = timeouts({ connection: { ...connection, connectTimeout: 0 } }, 60_000)
    expect(create).toBeGreaterThan(60_000 + 30_000)
  })

  test('limits of the caller, too short or longer: kept', () => {
    expect(timeouts({ acquireConnectionTimeout: 500 }, 60_000)).toMatchObject({ acquire: 500 })
    expect(timeouts({ pool: { createTimeoutMillis: 2_000 } }, 60_000)).toMatchObject({ create: 2_000 })
    const long = timeouts({ pool: { createTimeoutMillis: 200_000 } })
    expect(long.create).toBe(200_000)
    expect(long.acquire).toBeGreaterThan(200_000)
  })

  test('pool.acquireTimeoutMillis counts as set: Knex takes the shorter of the two', () => {
    expect(timeouts({ pool: { acquireTimeoutMillis: 500 } }, 60_000)).toMatchObject({
      acquire: undefined,
      ofPool: 500,
    })
  })

  test('the longest possible wait: no timer overflows', () => {
    const longestTimerMs = 2 ** 31 - 1
    expect(timeouts({}, longestTimerMs)).toMatchObject({ create: longestTimerMs, acquire: longestTimerMs })
  })

  test('other options of `pool`: kept', () => {
    const created: unknown[] = []
    const afterCreate = (one: unknown, done: () => void) => {
      created.push(one)
      done()
    }
    const { pool } = withAuroraIam({ client: 'mysql2', connection, pool: { min: 0, max: 3, afterCreate } })
    expect(pool).toMatchObject({ min: 0, max: 3 })
    let isDone = false
    pool?.afterCreate?.('a connection', () => {
      isDone = true
    })
    expect([created, isDone]).toEqual([['a connection'], true])
  })
})
