import { setImmediate } from 'node:timers/promises'
import knex, { type Knex } from 'knex'
import knex30 from 'knex-3.0'
import { afterEach, describe, expect, test } from 'vitest'
import {
  isMysql2,
  type Mysql2Client,
  mysql2Client,
  POOL_DEFAULTS,
  TESTED_MINORS,
} from '../src/knex-internals.ts'

const VERSIONS: ReadonlyArray<readonly [minor: string, makeKnex: typeof knex]> = [
  ['3.0', knex30 as unknown as typeof knex],
  ['3.3', knex],
]

const opened: Knex[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.destroy()))
})

/** Returns Knex's client for mysql2 in one version. */
const clientOf = (makeKnex: typeof knex): Mysql2Client => makeKnex({ client: 'mysql2' }).client.constructor

/** Creates an instance whose pool opens its connections by `connect`. */
function instance(makeKnex: typeof knex, connect: () => Promise<unknown>, config: Knex.Config = {}): Knex {
  class Client extends clientOf(makeKnex) {
    override acquireRawConnection = connect
    override async destroyRawConnection() {}
  }
  const log = { warn: () => {} }
  const db = makeKnex({ client: Client, connection: {}, log, ...config, pool: { min: 0, ...config.pool } })
  opened.push(db)
  return db
}

const openConnection = async () => ({ stream: { destroyed: false } })

test('the versions of this test: the tested minors', () => {
  expect(VERSIONS.map(([minor]) => minor)).toEqual(TESTED_MINORS)
})

describe.each(VERSIONS)('Knex %s', (minor, makeKnex) => {
  test('assumption 1, no options of the pool: the defaults', () => {
    const { client } = instance(makeKnex, openConnection)
    const { pool } = client
    expect({ max: pool.max, createTimeoutMillis: pool.createTimeoutMillis }).toEqual({
      max: POOL_DEFAULTS.max,
      createTimeoutMillis: POOL_DEFAULTS.createTimeoutMillis,
    })
    expect(pool.acquireTimeoutMillis).toBe(POOL_DEFAULTS.acquireConnectionTimeout)
  })

  test.each([
    [100, 200],
    [200, 100],
  ])('assumption 1, time-outs of %i and %i ms to acquire: the shorter one counts', (ofKnex, ofPool) => {
    const config = { acquireConnectionTimeout: ofKnex, pool: { acquireTimeoutMillis: ofPool } }
    expect(instance(makeKnex, openConnection, config).client.pool.acquireTimeoutMillis).toBe(100)
  })

  test('assumption 2, an instance without a connection: its constructor is the client, with no driver and no pool', () => {
    const { client } = makeKnex({ client: 'mysql2' })
    expect(client.constructor.name).toBe('Client_MySQL2')
    expect(client).not.toHaveProperty('driver')
    expect(client.pool).toBeUndefined()
    if (makeKnex === knex) expect(mysql2Client()).toBe(client.constructor)
  })

  test('assumption 3, the prototype of a client: it names the driver', () => {
    class Own extends clientOf(makeKnex) {}
    expect(isMysql2(clientOf(makeKnex))).toBe(true)
    expect(isMysql2(Own)).toBe(true)
    expect(isMysql2(makeKnex({ client: 'mysql' }).client.constructor)).toBe(false)
    expect(isMysql2(makeKnex({ client: 'pg' }).client.constructor)).toBe(false)
  })

  test('assumption 4, connections of a pool: each one is opened by acquireRawConnection', async () => {
    const given: unknown[] = []
    const { client } = instance(makeKnex, async () => {
      const connection = await openConnection()
      given.push(connection)
      return connection
    })
    const connections = await Promise.all([client.acquireConnection(), client.acquireConnection()])
    expect(new Set(connections)).toEqual(new Set(given))
    expect(given).toHaveLength(2)
    for (const connection of connections) await client.releaseConnection(connection)
    await client.releaseConnection(await client.acquireConnection())
    expect(given).toHaveLength(2)
  })

  test.each([
    ['in one iteration of the event loop', false, 3],
    ['in an iteration each', true, 2],
  ])('assumption 5, two connections that fail %s: the number of attempts', async (_when, apart, attempts) => {
    let calls = 0
    let fail = () => {}
    const together = new Promise<void>((resolve) => {
      fail = resolve
    })
    const { client } = instance(makeKnex, async () => {
      calls += 1
      await together
      if (apart) await setImmediate()
      throw new Error('refused')
    })
    const results = Promise.allSettled([client.acquireConnection(), client.acquireConnection()])
    await setImmediate()
    fail()
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(calls).toBe(attempts)
  })

  test('assumption 6, an open connection that fails validate: replaced, not by 3.0', async () => {
    const retired = new Set<unknown>()
    const validate = (connection: unknown) => !retired.has(connection)
    const { client } = instance(makeKnex, openConnection, { pool: { validate } as Knex.PoolConfig })
    const first = await client.acquireConnection()
    await client.releaseConnection(first)
    retired.add(first)
    const second = await client.acquireConnection()
    await client.releaseConnection(second)
    expect(second === first).toBe(minor === '3.0')
  })
})
