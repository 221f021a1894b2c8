import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildProgram } from '@aurora-iam/test-support/cli-program'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runUnderExec } from './under-exec.ts'

const here = fileURLToPath(new URL('.', import.meta.url))

const aurora = await localAurora()
let folder: string

beforeAll(buildProgram)
beforeEach(async () => {
  // Inside of the project, so that the tools find their own packages.
  folder = await mkdtemp(`${here}.tools-`)
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'ca.pem'), aurora.ca)
  return () => rm(folder, { recursive: true })
})
afterAll(() => expect(aurora.log.refusals).toEqual([]))

const exec = (...command: string[]) => runUnderExec(aurora, folder, command)

const write = async (name: string, text: string) => {
  await mkdir(dirname(join(folder, name)), { recursive: true })
  await writeFile(join(folder, name), text)
}

test('knex migrate:latest and migrate:rollback: they run with a URL from the environment', async () => {
  await write('knexfile.js', "export default { client: 'mysql2', connection: process.env.DATABASE_URL }")
  await write(
    'migrations/1_comets.js',
    `export const up = (knex) => knex.schema.createTable('comets', (table) => table.string('name'))
export const down = (knex) => knex.schema.dropTable('comets')`,
  )
  expect(await exec('knex', 'migrate:latest')).toContain('Batch 1 run: 1 migrations')
  expect(await exec('knex', 'migrate:rollback')).toContain('Batch 1 rolled back: 1 migrations')
})

test('typeorm migration:run and query: they run', async () => {
  await write(
    'data-source.js',
    `import { DataSource } from 'typeorm'
export default new DataSource({ type: 'mysql', url: process.env.DATABASE_URL, entities: [] })`,
  )
  const answer = await exec('typeorm', 'query', 'SELECT user() AS user', '--dataSource', 'data-source.js')
  expect(answer).toContain('app@localhost')
})

test('sequelize db:migrate: it runs', async () => {
  await write('package.json', '{}')
  await write(
    'config.js',
    "module.exports = { development: { use_env_variable: 'DATABASE_URL', dialect: 'mysql' } }",
  )
  await write(
    'migrations/1-asteroids.js',
    `module.exports = {
  up: (queries, { STRING }) => queries.createTable('asteroids', { name: STRING }),
  down: (queries) => queries.dropTable('asteroids'),
}`,
  )
  expect(
    await exec('sequelize-cli', 'db:migrate', '--env', 'development', '--config', 'config.js'),
  ).toContain('1-asteroids: migrated')
})

test('drizzle-kit push: it runs', async () => {
  await write(
    'drizzle.config.js',
    `export default {
  dialect: 'mysql', schema: './schema.js', tablesFilter: ['moons'], dbCredentials: { url: process.env.DATABASE_URL },
}`,
  )
  await write(
    'schema.js',
    `import { int, mysqlTable, varchar } from 'drizzle-orm/mysql-core'
export const moons = mysqlTable('moons', { id: int().primaryKey(), name: varchar({ length: 40 }) })`,
  )
  expect(await exec('drizzle-kit', 'push', '--config', 'drizzle.config.js', '--force')).toContain(
    'Changes applied',
  )
  expect(await exec('mariadb', '-N', '-e', "SHOW TABLES LIKE 'moons'")).toBe('moons\n')
})

test('Prisma’s schema engine, which this machine cannot download: its URL and its statements work', async () => {
  await write(
    'prisma.js',
    `import { createConnection } from 'mysql2/promise'
const connection = await createConnection(process.env.DATABASE_URL)
const [[version]] = await connection.execute('SELECT @@version, @@GLOBAL.version')
const [[lock]] = await connection.query('SELECT GET_LOCK("prisma_migrate", 10) AS held')
await connection.query(\`CREATE TABLE _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at DATETIME(3),
  migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at DATETIME(3),
  started_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), applied_steps_count INTEGER UNSIGNED NOT NULL DEFAULT 0
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci\`)
const [tables] = await connection.execute(
  'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ?', ['app'])
console.log(lock.held, tables.some(({ name }) => name === '_prisma_migrations'), Object.keys(version).length)
await connection.query('DROP TABLE _prisma_migrations')
await connection.end()`,
  )
  expect(await exec('node', 'prisma.js')).toBe('1 true 2\n')
})

test('dbmate up, status and rollback: applied and rolled back', async () => {
  await write(
    'db/migrations/20261126000000_comets.sql',
    '-- migrate:up\nCREATE TABLE comets (name VARCHAR(40));\n\n-- migrate:down\nDROP TABLE comets;\n',
  )
  expect(await exec('dbmate', '--no-dump-schema', 'up')).toContain('Applied: 20261126000000_comets.sql')
  expect(await exec('dbmate', 'status')).toContain('[X] 20261126000000_comets.sql')
  expect(await exec('dbmate', '--no-dump-schema', 'rollback')).toContain(
    'Rolled back: 20261126000000_comets.sql',
  )
})
