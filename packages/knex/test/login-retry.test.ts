import { AuroraIamError } from '@aurora-iam/core'
import knex, { type Knex } from 'knex'
import { describe, expect, test } from 'vitest'
import { createAuroraIam, withAuroraIam, withLoginRetry } from '../src/index.ts'

const host = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const iam = createAuroraIam()
const config = withAuroraIam({ client: 'mysql2', connection: { host, user: 'app', database: 'shop' } }, iam)

/** Creates an instance that connects to nothing. */
const instanceOf = (retrying: Knex.Config) => knex({ ...retrying, connection: undefined })

describe('withLoginRetry', () => {
  test('keeps everything but `client`, and leaves the object that is passed in unchanged', () => {
    const { client, ...rest } = withLoginRetry(config, iam)
    expect(client).toBeTypeOf('function')
    expect({ ...rest, client: 'mysql2' }).toEqual(config)
    expect(config.client).toBe('mysql2')
  })

  test('the client of the instance: mysql2', () => {
    const { client } = instanceOf(withLoginRetry(config, iam))
    expect(client.driverName).toBe('mysql2')
    expect(client.dialect).toBe(knex({ client: 'mysql2' }).client.dialect)
    expect(client.config.client).toBe('mysql2')
  })

  test('writes the SQL of mysql2, of transactions and migrations too', () => {
    const db = instanceOf(withLoginRetry(config, iam))
    const plain = knex({ client: 'mysql2' })
    const sqlOf = ({ schema }: Knex) => schema.createTable('note', (table) => table.increments()).toString()
    expect(db('note').where({ id: 1 }).toString()).toBe(plain('note').where({ id: 1 }).toString())
    expect(sqlOf(db)).toBe(sqlOf(plain))
    expect(db.client.transaction).toBe(plain.client.transaction)
  })

  test('a class on the client of mysql2 in place of its name is extended', () => {
    class Own extends knex({ client: 'mysql2' }).client.constructor {
      readonly isOwn = true
    }
    const { client } = instanceOf(withLoginRetry({ ...config, client: Own as never }, iam))
    expect(client).toBeInstanceOf(Own)
  })

  test.each([undefined, 'mysql', 'pg'])('refuses the client %s', (client) => {
    expect(() => withLoginRetry({ ...config, client }, iam)).toThrow(AuroraIamError)
    expect(() => withLoginRetry({ ...config, client }, iam)).toThrow(
      expect.objectContaining({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'client' }),
    )
  })
})
