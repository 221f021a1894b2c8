import knex, { type Knex } from 'knex'
import { describe, expect, test } from 'vitest'
import { createAuroraIam, withAuroraIam } from '../src/index.ts'

const host = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const iam = createAuroraIam({ retryRejectedLogins: true })
const config: Knex.Config = { client: 'mysql2', connection: { host, user: 'app', database: 'shop' } }

/** Creates an instance that connects to nothing. */
const instanceOf = (retrying: Knex.Config) => knex({ ...retrying, connection: undefined })

describe('retryRejectedLogins', () => {
  test('retryRejectedLogins: only `client` differs, and the given object stays unchanged', () => {
    const { client, ...rest } = withAuroraIam(config, iam)
    expect(client).toBeTypeOf('function')
    expect({ ...rest, client: 'mysql2' }).toEqual({
      ...withAuroraIam(config),
      connection: expect.any(Function),
      pool: { ...rest.pool },
    })
    expect(config.client).toBe('mysql2')
  })

  test('the instance names its client: mysql2', () => {
    const { client } = instanceOf(withAuroraIam(config, iam))
    expect(client.driverName).toBe('mysql2')
    expect(client.dialect).toBe(knex({ client: 'mysql2' }).client.dialect)
    expect(client.config.client).toBe('mysql2')
  })

  test('a query, a transaction and a migration: the SQL of mysql2', () => {
    const db = instanceOf(withAuroraIam(config, iam))
    const plain = knex({ client: 'mysql2' })
    const sqlOf = ({ schema }: Knex) => schema.createTable('note', (table) => table.increments()).toString()
    expect(db('note').where({ id: 1 }).toString()).toBe(plain('note').where({ id: 1 }).toString())
    expect(sqlOf(db)).toBe(sqlOf(plain))
    expect(db.client.transaction).toBe(plain.client.transaction)
  })

  test('a class that extends the client of mysql2: extended', () => {
    class Own extends knex({ client: 'mysql2' }).client.constructor {
      readonly isOwn = true
    }
    const { client } = instanceOf(withAuroraIam({ ...config, client: Own as never }, iam))
    expect(client).toBeInstanceOf(Own)
  })

  test('the client of an earlier result: not extended a second time', () => {
    const { client: earlier } = withAuroraIam(config, iam)
    const { client } = instanceOf(withAuroraIam({ ...config, client: earlier as never }, iam))
    expect(client).not.toBeInstanceOf(earlier)
    expect(client.driverName).toBe('mysql2')
  })

  test('enabled: false: nothing is added', () => {
    const plain = { ...config, connection: { host: 'localhost', user: 'app', password: 'local' } }
    expect(withAuroraIam(plain, { enabled: false, retryRejectedLogins: true })).toEqual(plain)
  })
})
