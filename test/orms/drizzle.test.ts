import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { DrizzleQueryError, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/mysql2'
import { migrate } from 'drizzle-orm/mysql2/migrator'
import { createPool } from 'mysql2/promise'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { describeOrm } from './suite.ts'

describeOrm(
  'Drizzle',
  (address, iam) => {
    const client = createPool(withAuroraIam({ ...address, connectionLimit: 3 }, iam))
    const db = drizzle({ client })
    return { query: (text) => db.execute(sql.raw(text)), close: () => client.end() }
  },
  (error) => {
    expect(error).toBeInstanceOf(DrizzleQueryError)
    return (error as Error).cause
  },
)

describeOrm(
  'Drizzle in a transaction',
  (address, iam) => {
    const client = createPool(withAuroraIam({ ...address, connectionLimit: 3 }, iam))
    const db = drizzle({ client })
    const query = (text: string) => db.transaction((transaction) => transaction.execute(sql.raw(text)))
    return { query, close: () => client.end() }
  },
  (error) => error,
)

const aurora = await localAurora()
let folder: string

// Inside of the project, where the packages are found.
beforeEach(async () => {
  folder = await mkdtemp(fileURLToPath(new URL('.drizzle-', import.meta.url)))
  return () => rm(folder, { recursive: true })
})

const write = (name: string, content: string) => writeFile(join(folder, name), content)

test('Drizzle’s migrator: it runs on the pool', async () => {
  const journal = {
    version: '7',
    dialect: 'mysql',
    entries: [{ idx: 0, when: 1, tag: '0000_moons', breakpoints: true }],
  }
  await mkdir(join(folder, 'meta'))
  await write('meta/_journal.json', JSON.stringify(journal))
  await write('0000_moons.sql', 'CREATE TABLE drizzle_moons (id INT PRIMARY KEY)')
  const { host, port, database } = aurora
  const client = createPool(withAuroraIam({ host, port, database, user: 'app' }, aurora.iam))
  onTestFinished(() => client.end())
  await migrate(drizzle({ client }), { migrationsFolder: folder })
  const [rows] = await client.query("SHOW TABLES LIKE 'drizzle_moons'")
  expect(rows).toHaveLength(1)
  await client.query('DROP TABLE drizzle_moons, __drizzle_migrations')
  expect(aurora.log.refusals).toEqual([])
})

// What it keeps is host, port, user, password, database and ssl: README.md sends its users to `aurora-iam exec`.
test('drizzle-kit with the options of withAuroraIam: it drops them, and sends nothing', async () => {
  const { host, port, database, hostname, ca, credentials } = aurora
  const [options, iam] = [
    { host, port, database, user: 'app' },
    { hostname, ca, credentials },
  ]
  await write(
    'drizzle.config.mjs',
    `import { withAuroraIam } from '@aurora-iam/mysql2'
export default {
  dialect: 'mysql',
  schema: './schema.mjs',
  dbCredentials: withAuroraIam(${JSON.stringify(options)}, ${JSON.stringify(iam)}),
}`,
  )
  await write(
    'schema.mjs',
    `import { int, mysqlTable } from 'drizzle-orm/mysql-core'
export const moons = mysqlTable('moons', { id: int().primaryKey() })`,
  )
  const kit = join(dirname(createRequire(import.meta.url).resolve('drizzle-kit')), 'bin.cjs')
  const args = [kit, 'push', '--config', 'drizzle.config.mjs', '--force']
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: folder }).catch(
    (error: { stdout: string; stderr: string }) => error,
  )
  expect(stdout).not.toContain('Changes applied')
  // It dials the name that is signed, and not the address that its option `stream` would have dialled.
  expect(stdout + stderr).toContain(hostname)
  expect(aurora.log.connections).toBe(0)
})
