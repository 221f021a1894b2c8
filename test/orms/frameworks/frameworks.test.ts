import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { Database as Lucid } from '@adonisjs/lucid/database'
import { auroraIamConnection } from '@aurora-iam/knex'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { Database as Strapi } from '@strapi/database'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { createPool } from 'mysql2/promise'
import { expect, onTestFinished, test } from 'vitest'

const aurora = await localAurora()
const target = () => ({ host: aurora.host, port: aurora.port, user: 'app', database: aurora.database })

test('Strapi’s database: auroraIamConnection is its connection', async () => {
  const connection = auroraIamConnection(target(), aurora.iam)
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const strapi = new Strapi({
    connection: { client: 'mysql', connection, pool: { min: 0, max: 3 } },
    settings: { migrations: { dir: tmpdir() } },
    models: [],
    logger,
  } as unknown as ConstructorParameters<typeof Strapi>[0])
  onTestFinished(() => strapi.destroy())
  const [rows] = await strapi.connection.raw('SELECT 1 AS one')
  expect(rows).toEqual([{ one: 1 }])
  expect(aurora.log.logins).toMatchObject([{ user: 'app' }])
})

test('Lucid: auroraIamConnection is its connection', async () => {
  const [ignore, logger] = [() => undefined, { trace() {}, warn() {}, error() {} }]
  const emitter = { emit: ignore, hasListeners: () => false }
  const connection = auroraIamConnection(target(), aurora.iam)
  const config = { connection: 'mysql', connections: { mysql: { client: 'mysql2' as const, connection } } }
  type Given = ConstructorParameters<typeof Lucid>
  const lucid = new Lucid(config as Given[0], logger as unknown as Given[1], emitter as unknown as Given[2])
  onTestFinished(() => lucid.manager.closeAll())
  const [rows] = await lucid.rawQuery('SELECT 1 AS one')
  expect(rows).toEqual([{ one: 1 }])
  expect(aurora.log.logins).toMatchObject([{ user: 'app' }])
})

test('better-auth with a pool as its database: its tables are created, and a user signs up', async () => {
  const database = createPool(withAuroraIam(target(), aurora.iam))
  onTestFinished(() => database.end())
  const auth = betterAuth({
    database,
    baseURL: 'http://127.0.0.1',
    secret: 'qX2v7Lr9Tn4Wm8Yc3Jb6Hd1Kf5Pg0Zs',
    emailAndPassword: { enabled: true },
  })
  await (await getMigrations(auth.options)).runMigrations()
  const body = { email: 'ada@example.com', password: 'correct horse', name: 'Ada' }
  const { user } = await auth.api.signUpEmail({ body })
  expect(user).toMatchObject({ email: body.email })
  expect(aurora.log.logins.length).toBeGreaterThan(0)
})

test('a library that requires mysql, where mysql2 is installed under that name: it logs in', async () => {
  const mysql = createRequire(import.meta.url)('mysql') as typeof import('mysql2')
  const pool = mysql.createPool(withAuroraIam(target(), aurora.iam))
  onTestFinished(() => pool.promise().end())
  const [rows] = await pool.promise().query('SELECT 1 AS one')
  expect(rows).toEqual([{ one: 1 }])
})
