import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import type { Pool } from 'mariadb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { auroraIamFor } from './support.ts'

const aurora = await localAurora()
let pool: Pool

// What the stock adapter was given is what it hands out as its driver: a pool with the face of mariadb's.
beforeAll(async () => {
  const adapter = await auroraIamFor(aurora, { connectionLimit: 2 }).adapter.connect()
  pool = (adapter as unknown as { underlyingDriver(): Pool }).underlyingDriver()
})

afterAll(() => pool.end())

test('queries, statements, batches and imported files: as in mariadb’s own pool', async () => {
  await pool.query('CREATE TABLE thing (id INT PRIMARY KEY, name VARCHAR(20))')
  expect(
    await pool.batch('INSERT INTO thing VALUES (?, ?)', [
      [1, 'one'],
      [2, 'two'],
    ]),
  ).toHaveLength(2)
  expect(await pool.execute('SELECT name FROM thing WHERE id = ?', [2])).toEqual([{ name: 'two' }])
  const folder = await mkdtemp(join(tmpdir(), 'prisma-pool-'))
  const file = join(folder, 'import.sql')
  await writeFile(file, "INSERT INTO thing VALUES (3, 'three');\nINSERT INTO thing VALUES (4, 'four');\n")
  await pool.importFile({ file })
  await rm(folder, { recursive: true })
  expect(await pool.query({ sql: 'SELECT COUNT(*) AS n FROM thing', bigIntAsNumber: true })).toEqual([
    { n: 4 },
  ])
  expect(pool.escape("it's")).toBe("'it\\'s'")
  expect(pool.escapeId('a`b')).toBe('`a``b`')
})

test('connections: counted, and events report which is borrowed and returned', async () => {
  const heard: string[] = []
  pool.on('enqueue', () => heard.push('enqueue'))
  pool.on('connection', () => heard.push('connection'))
  pool.on('acquire', () => heard.push('acquire'))
  pool.on('release', () => heard.push('release'))
  const connection = await pool.getConnection()
  expect([pool.activeConnections(), pool.totalConnections() - pool.idleConnections()]).toEqual([1, 1])
  expect(pool.taskQueueSize()).toBe(0)
  await connection.release()
  expect(pool.activeConnections()).toBe(0)
  expect(heard).toEqual(['acquire', 'release'])
  const [one, two] = await Promise.all([pool.getConnection(), pool.getConnection()])
  expect(heard.filter((event) => event === 'acquire')).toHaveLength(3)
  expect(heard.filter((event) => event === 'connection')).toHaveLength(1)
  expect(heard).not.toContain('enqueue')
  const third = pool.getConnection()
  expect(heard).toContain('enqueue')
  await one.release()
  await (await third).release()
  await two.release()
})

test('a connection that was returned: unusable for its borrower, and returning it again changes nothing', async () => {
  const connection = await pool.getConnection()
  await connection.query('SELECT 1')
  await connection.release()
  const [next, other] = await Promise.all([pool.getConnection(), pool.getConnection()])
  await connection.release()
  await connection.end()
  expect(() => connection.query('SELECT 1')).toThrow('returned to its pool')
  expect(pool.activeConnections()).toBe(2)
  await next.release()
  await other.release()
})

test('a query under way when its transaction is rolled back: not executed after the ROLLBACK', async () => {
  const sql = 'INSERT INTO thing VALUES (5, ?)'
  const connection = await pool.getConnection()
  await connection.query('BEGIN')
  const inserted = connection.execute(sql, ['five']).catch((error: unknown) => error)
  await connection.query({ sql: 'ROLLBACK' })
  const late = connection.execute(sql, ['five']).catch((error: unknown) => error)
  await connection.release()
  expect(await pool.query('SELECT name FROM thing WHERE id = 5')).toEqual([])
  expect(await Promise.all([inserted, late])).toMatchObject([{ code: 'P2028' }, { code: 'P2028' }])
})

test('a pool that has ended: no connection and no query', async () => {
  const adapter = await auroraIamFor(aurora).adapter.connect()
  const ended = (adapter as unknown as { underlyingDriver(): Pool }).underlyingDriver()
  await adapter.dispose()
  await ended.end()
  expect(ended.closed).toBe(true)
  await expect(ended.query('SELECT 1')).rejects.toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
})
