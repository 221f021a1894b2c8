import { createAuroraIam } from '@aurora-iam/core'
import { auroraIamConnection, withAuroraIam } from '@aurora-iam/knex'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { READER } from '@aurora-iam/test-support/local-aurora'
import { passwordUser } from '@aurora-iam/test-support/password-user'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { DBError, Model } from 'objection'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connectionTo, opener, VERSIONS } from './support.ts'

let aurora: LocalAurora
let plain: Awaited<ReturnType<typeof passwordUser>>

beforeAll(async () => {
  aurora = await startLocalAurora({ hostnames: [READER], users: ['app', 'reporting'], throttle: false })
  plain = await passwordUser(aurora)
})

afterAll(async () => {
  await aurora.close()
})

beforeEach(() => aurora.log.clear())

const open = opener(() => aurora)

describe.each(VERSIONS)('$name on IAM', ({ makeKnex }) => {
  const unlimited = () => createAuroraIam({ ...aurora.iam, rateLimit: false })

  test('a schema: built and read back', async () => {
    const db = open(makeKnex, unlimited())
    await db.schema.dropTableIfExists('gadgets')
    await db.schema.createTable('gadgets', (table) => {
      table.increments('id')
      table.string('name', 40).notNullable()
    })
    expect(await db.schema.hasTable('gadgets')).toBe(true)
    expect(await db('gadgets').columnInfo('name')).toMatchObject({ type: 'varchar', maxLength: 40 })
  })

  test('transactions: committed and rolled back, on one connection each', async () => {
    const db = open(makeKnex, unlimited())
    await db.schema.dropTableIfExists('notes')
    await db.schema.createTable('notes', (table) => table.string('text'))
    await db.transaction(async (trx) => {
      await trx('notes').insert({ text: 'kept' })
      await trx('notes').insert({ text: 'kept too' })
    })
    const failing = db.transaction(async (trx) => {
      await trx('notes').insert({ text: 'lost' })
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    expect(await db('notes').orderBy('text')).toEqual([{ text: 'kept' }, { text: 'kept too' }])
    expect(aurora.log.connections).toBe(1)
  })

  test('rows: streamed', async () => {
    const db = open(makeKnex, unlimited())
    const rows = db.raw('SELECT seq FROM seq_1_to_1000').stream()
    let sum = 0
    for await (const { seq } of rows) sum += seq
    expect(sum).toBe(500_500)
  })

  test('a reader and a writer with one AuroraIam: each name and user is signed', async () => {
    const { region, credentials, ca } = aurora
    const iam = createAuroraIam({ region, credentials, ca, dial: { host: aurora.host }, rateLimit: false })
    const node = (host: string, user: string) => ({ connection: { ...connectionTo(aurora), host, user } })
    const writer = open(makeKnex, iam, node(aurora.hostname, 'app'))
    const reader = open(makeKnex, iam, node(READER, 'reporting'))
    for (const db of [writer, reader, writer, reader]) await db.raw('SELECT 1')
    expect(aurora.log.logins).toMatchObject([
      { hostname: aurora.hostname, user: 'app' },
      { hostname: READER, user: 'reporting' },
    ])
    expect(iam.stats()).toMatchObject({ tokensSigned: 2, connectionsOpened: 2, credentialsResolved: 1 })
  })

  test('Objection: it works on this Knex', async () => {
    class Animal extends Model {
      static override tableName = 'animals'
      declare id: number
      declare name: string
    }
    const db = open(makeKnex, unlimited())
    await db.schema.dropTableIfExists('animals')
    await db.schema.createTable('animals', (table) => {
      table.increments('id')
      table.string('name')
    })
    const Bound = Animal.bindKnex(db)
    const inserted = await Bound.transaction(
      async (trx) => await Bound.query(trx).insertAndFetch({ name: 'Jennifer' }),
    )
    expect(inserted.toJSON()).toEqual({ id: 1, name: 'Jennifer' })
    expect(await Bound.query().where('name', 'like', 'Jen%').resultSize()).toBe(1)
  })

  test('Objection and a denied login: the DBError has the server’s error as nativeError', async () => {
    class Animal extends Model {
      static override tableName = 'animals'
    }
    aurora.faults.set({ refuse: 'NotAuthorized' })
    const error = await rejectionOf(Animal.bindKnex(open(makeKnex, unlimited())).query())
    aurora.faults.clear()
    expect(error).toBeInstanceOf(DBError)
    expect(error.nativeError).toMatchObject({
      code: 'ER_ACCESS_DENIED_ERROR',
      errno: 1045,
      cause: { code: 'ERR_AURORA_IAM_ACCESS_DENIED' },
    })
  })

  test('a framework that writes to the object of auroraIamConnection, or merges it: supported', async () => {
    const iam = unlimited()
    const connection = auroraIamConnection(connectionTo(aurora), iam)
    Object.assign(connection, { typeCast: (_field: unknown, next: () => unknown) => String(next()) })
    const db = makeKnex({ client: 'mysql2', connection: { ...connection, dateStrings: true } })
    const [rows] = await db.raw('SELECT 1 AS one')
    expect(rows).toEqual([{ one: '1' }])
    expect(db.client.database()).toBe('app')
    await db.destroy()
  })

  test('enabled: false: the same call logs in by password', async () => {
    const db = makeKnex(withAuroraIam({ client: 'mysql2', connection: plain }, { enabled: false }))
    const [rows] = await db.raw('SELECT CURRENT_USER() AS user')
    expect(rows).toEqual([{ user: expect.stringMatching(/^legacy@/) }])
    await db.destroy()
  })
})
