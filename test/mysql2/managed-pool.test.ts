import dns from 'node:dns'
import { createAuroraIam } from '@aurora-iam/core'
import { managedPool, withAuroraIam, withLoginRetry } from '@aurora-iam/mysql2'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import type { Pool } from 'mysql2/promise'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { addressOf, VERSIONS } from './support.ts'

const aurora = await localAurora()
const pools: Array<Pick<Pool, 'end'>> = []

/** The server's answer to a change after its demotion. */
const DEMOTED = `SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290,
  MESSAGE_TEXT = 'The MySQL server is running with the --read-only option so it cannot execute this statement'`

afterEach(async () => {
  vi.restoreAllMocks()
  for (const pool of pools.splice(0)) await pool.end()
})

const idOf = async (connection: { query: Pool['query'] }) => {
  const [rows] = await connection.query('SELECT CONNECTION_ID() AS id')
  return (rows as Array<{ id: number }>)[0]!.id
}

describe.each(VERSIONS)('a managed pool of $name', ({ callbacks, promises }) => {
  function open(connectionLimit = 5, options = {}) {
    const iam = createAuroraIam({ ...aurora.iam, rateLimit: { limit: 1_000 }, ...options })
    const pool = managedPool(
      promises.createPool(withAuroraIam({ ...addressOf(aurora), connectionLimit }, iam)),
    )
    pools.push(pool)
    return { iam, pool }
  }

  test('1290 after a demotion: the error is unchanged, and every connection to that address is replaced', async () => {
    const { iam, pool } = open()
    const held = await Promise.all(Array.from({ length: 5 }, () => pool.getConnection()))
    const before = await Promise.all(held.map(idOf))
    for (const connection of held.slice(2)) connection.release()
    const error = await rejectionOf(held[0]!.query(DEMOTED))
    expect(error).toMatchObject({ errno: 1290, code: 'ER_OPTION_PREVENTS_STATEMENT' })
    expect(iam.stats().pools).toMatchObject([
      { open: 2, retiring: 2, generation: 1, retired: { 'read-only': 5 } },
    ])
    await held[0]!.query('ROLLBACK')
    for (const connection of held.slice(0, 2)) connection.release()
    const after = await Promise.all(Array.from({ length: 5 }, () => pool.getConnection()))
    const ids = await Promise.all(after.map(idOf))
    for (const connection of after) connection.release()
    expect(ids.filter((id) => before.includes(id))).toEqual([])
    expect(iam.stats().pools).toMatchObject([{ open: 5, retiring: 0 }])
  })

  test('callers wait for a connection that is retired: none of them gets it', async () => {
    const { pool } = open(1)
    const held = await pool.getConnection()
    const before = await idOf(held)
    const waiting = Array.from({ length: 3 }, async () => {
      const connection = await pool.getConnection()
      const id = await idOf(connection)
      connection.release()
      return id
    })
    await rejectionOf(held.query(DEMOTED))
    held.release()
    expect(await Promise.all(waiting)).not.toContain(before)
  })

  test('the name of the endpoint leads to another address: idle connections are replaced', async () => {
    const { iam, pool } = open(2, {
      dial: { host: 'moving.example', port: aurora.port },
      watchEndpointMs: 1000,
    })
    let address = '127.0.0.1'
    const answer = () => [{ address, family: 4 }]
    vi.spyOn(dns, 'lookup').mockImplementation(((
      _host: string,
      _options: object,
      callback: (...args: unknown[]) => void,
    ) => setImmediate(callback, null, answer())) as never)
    const before = await idOf(pool)
    address = '127.0.0.2'
    await until(() => iam.stats().pools.length === 0)
    address = '127.0.0.1'
    expect(await idOf(pool)).not.toBe(before)
  })

  test('the callback API with login retry around it: connections are managed', async () => {
    const iam = createAuroraIam({ ...aurora.iam, rateLimit: { limit: 1_000 } })
    const options = withAuroraIam({ ...addressOf(aurora), connectionLimit: 2 }, iam)
    const pool = withLoginRetry(managedPool(callbacks.createPool(options)), iam)
    pools.push(pool.promise())
    const error = await new Promise((resolve) => pool.query(DEMOTED, resolve))
    expect(error).toMatchObject({ errno: 1290 })
    await until(() => iam.stats().pools.length === 0)
    expect(await idOf(pool.promise())).toBeGreaterThan(0)
  })

  test.each([{ maxLifetimeMs: 60_000 }, { watchEndpointMs: 1_000 }, { retireDemoted: true }])(
    '%o without managedPool: refused by name before any socket, with the remedy',
    async (option) => {
      const settings = () => withAuroraIam(addressOf(aurora), { ...aurora.iam, ...option })
      const [name] = Object.keys(option)
      const refusal = {
        code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
        message: expect.stringMatching(`^${name}: has no effect on a single connection.*managedPool`),
      }
      expect(await rejectionOf(promises.createConnection(settings()))).toMatchObject(refusal)
      const pool = promises.createPool(settings())
      pools.push(pool)
      expect(await rejectionOf(pool.query('SELECT 1'))).toMatchObject(refusal)
      expect(aurora.log.connections).toBe(0)
      const managed = managedPool(promises.createPool(settings()))
      pools.push(managed)
      expect(await idOf(managed)).toBeGreaterThan(0)
    },
  )

  test('an AuroraIam with maxLifetimeMs, shared with a single connection: accepted', async () => {
    const iam = createAuroraIam({ ...aurora.iam, maxLifetimeMs: 60_000 })
    const connection = await promises.createConnection(withAuroraIam(addressOf(aurora), iam))
    await connection.end()
    expect(iam.stats()).toMatchObject({ connectionsOpened: 1, pools: [] })
  })

  test('without IAM: the pool works as before', async () => {
    const pool = managedPool(
      promises.createPool(withAuroraIam({ ...addressOf(aurora), password: 'x' }, { enabled: false })),
    )
    pools.push(pool)
    expect(await rejectionOf(pool.query('SELECT 1'))).toBeInstanceOf(Error)
  })
})
