import { createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam, withLoginRetry } from '@aurora-iam/mysql2'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import type { Pool } from 'mysql2/promise'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addressOf, VERSIONS } from './support.ts'

const FIRST = { accessKeyId: 'AKIDFIRST', secretAccessKey: 'first' }
const SECOND = { accessKeyId: 'AKIDSECOND', secretAccessKey: 'second' }

const aurora = await localAurora()
const pools: Array<Pick<Pool, 'end'>> = []

beforeEach(() => {
  aurora.principals.add(FIRST)
  aurora.principals.add(SECOND)
})

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end()
})

describe.each(VERSIONS)('a pool of $name with login retry', ({ callbacks, promises }) => {
  /**
   * Returns options of a pool whose key logged in once and was then deleted. The provider returns `next` from now on.
   */
  async function withDeletedKey(next = SECOND) {
    let current = FIRST
    const iam = createAuroraIam({
      ...aurora.iam,
      rateLimit: { limit: 1_000 },
      credentials: async () => current,
    })
    const options = withAuroraIam({ ...addressOf(aurora), connectionLimit: 20 }, iam)
    const connection = await promises.createConnection(options)
    await connection.end()
    aurora.principals.remove(FIRST.accessKeyId)
    current = next
    aurora.log.clear()
    const open = () => {
      const pool = withLoginRetry(promises.createPool(options), iam)
      pools.push(pool)
      return pool
    }
    return { iam, options, open }
  }

  test('query, execute and getConnection of both APIs: they succeed with the new key', async () => {
    for (const use of [
      (pool: Pool) => pool.query('SELECT 1 AS one'),
      (pool: Pool) => pool.execute('SELECT 1 AS one'),
      async (pool: Pool) => {
        const connection = await pool.getConnection()
        try {
          return await connection.query('SELECT 1 AS one')
        } finally {
          connection.release()
        }
      },
    ]) {
      aurora.principals.add(FIRST)
      const { open } = await withDeletedKey()
      expect((await use(open()))[0]).toEqual([{ one: 1 }])
      expect(aurora.log.logins).toHaveLength(1)
      expect(aurora.log.refusals).toHaveLength(1)
    }
  })

  test('the callback API: it succeeds with the new key', async () => {
    const { iam, options } = await withDeletedKey()
    const pool = withLoginRetry(callbacks.createPool(options), iam)
    pools.push(pool.promise())
    const rows = await new Promise((resolve, reject) =>
      pool.query('SELECT 1 AS one', (error, result) => (error ? reject(error) : resolve(result))),
    )
    expect(rows).toEqual([{ one: 1 }])
    expect(aurora.log.refusals).toHaveLength(1)
  })

  test('ten connections that are rejected together: all are accepted', async () => {
    const { open } = await withDeletedKey()
    const pool = open()
    const held = await Promise.all(Array.from({ length: 10 }, () => pool.getConnection()))
    for (const connection of held) connection.release()
    expect(aurora.log.logins).toHaveLength(10)
    // Those that come to the token last already present the new one.
    expect(aurora.log.refusals.length).toBeGreaterThan(0)
    expect(aurora.log.refusals.length).toBeLessThanOrEqual(10)
  })

  test('a permission that is missing: one login more, then the error of the server', async () => {
    const { open } = await withDeletedKey({ accessKeyId: 'AKIDUNKNOWN', secretAccessKey: 'unknown' })
    const pool = open()
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => pool.query('SELECT 1')))
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ER_ACCESS_DENIED_ERROR' } })
    }
    expect(aurora.log.logins).toHaveLength(0)
    expect(aurora.log.refusals).toHaveLength(11)
  })

  test('without login retry: the connections in flight fail, and the next one is accepted', async () => {
    const { options } = await withDeletedKey()
    const pool = promises.createPool(options)
    pools.push(pool)
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' })
    await pool.query('SELECT 1')
    expect(aurora.log.refusals).toHaveLength(1)
  })

  test('events and settings of the pool: unchanged', async () => {
    const { options, iam } = await withDeletedKey()
    const plain = promises.createPool(options)
    const pool = withLoginRetry(plain, iam)
    const released: unknown[] = []
    plain.on('release', (connection) => released.push(connection))
    await pool.query('SELECT 1')
    expect(released).toHaveLength(1)
    await pool.end()
    await expect(plain.query('SELECT 1')).rejects.toThrow(/Pool is closed/)
  })
})
