import { createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/knex'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import knex, { type Knex } from 'knex'
import { afterEach, expect, test } from 'vitest'

const aurora = await localAurora()
let db: Knex

/** The server's answer to a change after its demotion. */
const DEMOTED = `SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290,
  MESSAGE_TEXT = 'The MySQL server is running with the --read-only option so it cannot execute this statement'`

afterEach(() => db.destroy())

const idOf = async () => {
  const [rows] = await db.raw('SELECT CONNECTION_ID() AS id')
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
