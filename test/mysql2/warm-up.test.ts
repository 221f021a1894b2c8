import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createAuroraIam } from '@aurora-iam/core'
import { managedPool, warmUp, withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { errorThrownBy, rejectionOf } from '@aurora-iam/test-support/rejection-of'
import type { Pool } from 'mysql2/promise'
import { afterEach, describe, expect, test } from 'vitest'
import { addressOf, VERSIONS } from './support.ts'

const aurora = await localAurora()
const pools: Array<Pick<Pool, 'end'>> = []

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end()
})

describe.each(VERSIONS)('warmUp with $name', ({ callbacks, promises }) => {
  const open = (options = {}) => {
    const iam = createAuroraIam({ ...aurora.iam, rateLimit: { limit: 1_000 }, ...options })
    const settings = withAuroraIam({ ...addressOf(aurora), connectionLimit: 5 }, iam)
    const pool = callbacks.createPool(settings)
    pools.push(pool.promise())
    return { iam, settings, pool }
  }

  test('count of 5: five connections are open, each reported, and queries open no other', async () => {
    const { iam, pool } = open()
    const progress: string[] = []
    await warmUp(pool.promise(), 5, { onProgress: (opened, count) => progress.push(`${opened}/${count}`) })
    expect(progress).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5'])
    await Promise.all(Array.from({ length: 20 }, () => pool.promise().query('SELECT 1')))
    expect(iam.stats()).toMatchObject({ connectionsOpened: 5 })
  })

  test('a request comes while a pool warms up: its connection gets the next permit', async () => {
    const { iam, pool, settings } = open({
      rateLimit: createRateLimiter({ limit: 1, intervalMs: 300 }),
    })
    let opened = 0
    const warm = rejectionOf(
      warmUp(pool, 4, {
        onProgress: (count) => {
          opened = count
        },
      }),
    )
    const connection = await promises.createConnection(settings)
    expect(opened).toBeLessThanOrEqual(1)
    await connection.end()
    iam.close()
    expect(await warm).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
  })

  test('onProgress throws: its error is passed on, and every connection returns to the pool', async () => {
    const { pool } = open()
    const failure = new Error('onProgress failed')
    const warm = warmUp(pool, 5, {
      onProgress: () => {
        throw failure
      },
    })
    expect(await rejectionOf(warm)).toBe(failure)
    await Promise.all(Array.from({ length: 5 }, () => pool.promise().query('SELECT 1')))
  })

  test('a callback on a connection that was warmed: what it opens is a request, not background', async () => {
    const { pool, settings } = open()
    await warmUp(pool, 1)
    const lanes: unknown[] = []
    const note = (event: unknown) => lanes.push((event as { lane?: unknown }).lane)
    await new Promise((resolve) => pool.query('SELECT 1', resolve))
    subscribe('aurora-iam:rate-limit:permit', note)
    await new Promise((resolve, reject) => {
      pool.query('SELECT 1', () => {
        promises
          .createConnection(settings)
          .then((connection) => connection.end())
          .then(resolve, reject)
      })
    })
    unsubscribe('aurora-iam:rate-limit:permit', note)
    expect(lanes.filter((lane) => lane !== undefined)).toEqual(['live'])
  })

  test.each([undefined, null, 'mysql://x', {}, []])('%j in place of a pool: refused', async (pool) => {
    const refusal = { code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'pool' }
    expect(await rejectionOf(warmUp(pool as never, 1))).toMatchObject(refusal)
    expect(errorThrownBy(() => managedPool(pool as never))).toMatchObject(refusal)
  })

  test('a PoolCluster in place of a pool: refused', () => {
    const cluster = callbacks.createPoolCluster()
    expect(errorThrownBy(() => managedPool(cluster as never))).toMatchObject({ option: 'pool' })
    cluster.end()
  })

  test.each([0, 6, 1.5, Number.NaN])('count of %s: refused, nothing is opened', async (count) => {
    const { iam, pool } = open()
    expect(await rejectionOf(warmUp(pool, count))).toMatchObject({
      code: 'ERR_AURORA_IAM_INVALID_OPTION',
      option: 'count',
    })
    expect(iam.stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 0 })
  })

  test('a connection is rejected: the error is passed on, and the others return to the pool', async () => {
    const { pool } = open()
    const held = await pool.promise().getConnection()
    aurora.faults.set({ refuse: 'InternalError' })
    expect(await rejectionOf(warmUp(pool, 4))).toMatchObject({ errno: 1045 })
    aurora.faults.clear()
    held.release()
    await Promise.all(Array.from({ length: 5 }, () => pool.promise().query('SELECT 1')))
  })
})
