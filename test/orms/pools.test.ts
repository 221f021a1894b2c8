import { createRequire } from 'node:module'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import fastifyMysql from '@fastify/mysql'
import fastify from 'fastify'
import { createPool } from 'mysql2/promise'
import { memoryStorage, Umzug } from 'umzug'
import { expect, onTestFinished, test } from 'vitest'

// Neither has types.
const require = createRequire(import.meta.url)
const session = require('express-session')
const createMysqlStore = require('express-mysql-session')

// What takes a pool of mysql2, or its options, needs no adapter.
const aurora = await localAurora()
const options = () =>
  withAuroraIam({ host: aurora.host, port: aurora.port, user: 'app', database: aurora.database }, aurora.iam)

function openPool() {
  const pool = createPool(options())
  onTestFinished(() => pool.end())
  return pool
}

test('umzug with a pool as its context: migrations run', async () => {
  const umzug = new Umzug({
    migrations: [
      {
        name: 'note',
        up: ({ context }) => context.query('CREATE TABLE umzug_note (id INT PRIMARY KEY)'),
        down: ({ context }) => context.query('DROP TABLE umzug_note'),
      },
    ],
    context: openPool(),
    storage: memoryStorage(),
    logger: undefined,
  })
  expect(await umzug.up()).toMatchObject([{ name: 'note' }])
  await umzug.down()
  expect(aurora.log.logins).toMatchObject([{ user: 'app' }])
})

test('@fastify/mysql: its options are those of withAuroraIam', async () => {
  const app = fastify()
  onTestFinished(() => app.close())
  await app.register(fastifyMysql, { promise: true, ...(options() as object) })
  const { mysql } = app as unknown as { mysql: { query(sql: string): Promise<[unknown]> } }
  expect((await mysql.query('SELECT 1 AS one'))[0]).toEqual([{ one: 1 }])
  expect(aurora.log.logins).toMatchObject([{ user: 'app' }])
})

test('express-mysql-session with a pool: sessions are stored', async () => {
  const MysqlStore = createMysqlStore(session)
  const store = new MysqlStore({ clearExpired: false, createDatabaseTable: true }, openPool())
  await store.onReady()
  await store.set('id', { cookie: { expires: new Date(Date.now() + 60_000) } })
  expect(await store.get('id')).toMatchObject({ cookie: {} })
  await store.close()
  expect(aurora.log.logins.length).toBeGreaterThan(0)
})
