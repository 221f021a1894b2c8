import { until } from '@aurora-iam/test-support/until'
import { encodeErr } from '@aurora-iam/wire'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isLostOutsideTransaction } from '../../src/errors.ts'
import { MariaDbPool } from '../../src/pool/mariadb-pool.ts'
import { COMMAND, OK, OK_IN_TRANSACTION, ScriptedServer } from '../scripted-server.ts'
import { openPool } from './open-pool.ts'

let server: ScriptedServer
let opened: ReturnType<typeof openPool>
let pool: MariaDbPool

beforeEach(async () => {
  server = await ScriptedServer.start()
  opened = openPool(server)
  pool = new MariaDbPool(opened.pool)
})

afterEach(async () => {
  await pool.end()
  await server[Symbol.asyncDispose]()
})

const DUPLICATE = encodeErr({ errno: 1062, sqlState: '23000', message: 'Duplicate entry' })
const KILLED = encodeErr({ errno: 1927, sqlState: '70100', message: 'Connection was killed' })
/** Answer to COM_STMT_PREPARE: statement 7, without columns and parameters. */
const PREPARED = Buffer.from([0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])

const answering = (command: number, answer: Buffer | undefined) => (payload: Buffer) =>
  payload[0] === command ? answer : OK

const failure = (promise: Promise<unknown>): Promise<Error & Record<string, unknown>> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  )

test('connections: counted, and events report which is waited for, new, borrowed and returned', async () => {
  const events: string[] = []
  for (const event of ['enqueue', 'connection', 'acquire', 'release'])
    pool.on(event, () => events.push(event))
  const first = await pool.getConnection()
  expect(events.splice(0)).toEqual(['enqueue', 'connection', 'acquire'])
  expect([pool.activeConnections(), pool.idleConnections(), pool.totalConnections()]).toEqual([1, 0, 1])
  await first.release()
  expect(events.splice(0)).toEqual(['release'])
  expect([pool.activeConnections(), pool.idleConnections(), pool.totalConnections()]).toEqual([0, 1, 1])
  const again = await pool.getConnection()
  expect(events.splice(0)).toEqual(['acquire'])
  const second = await pool.getConnection()
  const waiting = pool.getConnection()
  expect(pool.taskQueueSize()).toBe(1)
  await again.release()
  for (const connection of [second, await waiting]) await connection.release()
  expect(pool.closed).toBe(false)
  await pool[Symbol.asyncDispose]()
  expect(pool.closed).toBe(true)
})

test('a connection that was returned: unusable for its borrower, and returned once', async () => {
  const connection = await pool.getConnection()
  expect(connection.serverVersion()).toBe('8.0.39')
  expect(connection.threadId).toBe(1)
  await connection.release()
  const next = await pool.getConnection()
  for (const name of ['release', 'end', 'close', 'destroy'] as const)
    await (connection as never as Record<string, () => unknown>)[name]?.()
  expect(() => connection.query('SELECT 1')).toThrow('returned to its pool')
  expect(() => connection.threadId).toThrow('returned to its pool')
  expect(pool.activeConnections()).toBe(1)
  await next.release()
})

test.each(['query', 'execute', 'batch'] as const)(
  '%s: on a connection that is returned, whether it fails or not',
  async (name) => {
    server.answer = answering(COMMAND.prepare, PREPARED)
    const run = () => (name === 'batch' ? pool.batch('DO ?', [[1]]) : pool[name]('DO 1'))
    await run()
    expect(pool.queryFailure).toBeUndefined()
    server.answer = (payload) => (payload.includes('ROLLBACK') ? OK : DUPLICATE)
    const error = await failure(run())
    expect(error).toMatchObject({ errno: 1062 })
    expect(pool.queryFailure).toBe(error)
    expect(opened.calls.filter(([call]) => call === 'failed')).toHaveLength(1)
    expect([pool.activeConnections(), pool.idleConnections()]).toEqual([0, 1])
    server.answer = answering(COMMAND.prepare, PREPARED)
    await run()
    expect(pool.queryFailure).toBeUndefined()
  },
)

test('a connection that is lost outside of a transaction: P1017, marked as such, and not handed out again', async () => {
  server.answer = answering(COMMAND.query, KILLED)
  const error = await failure(pool.query('DO 1'))
  expect(error).toMatchObject({ code: 'P1017' })
  expect(isLostOutsideTransaction({ code: 'P1017', meta: { driverAdapterError: error } })).toBe(true)
  expect(pool.idleConnections()).toBe(0)
})

test('a connection that is lost in a transaction: the other idle connections are pinged before they are used', async () => {
  const [first, second] = [await pool.getConnection(), await pool.getConnection()]
  await second.release()
  server.answer = answering(COMMAND.query, KILLED)
  const error = await failure(first.query('DO 1'))
  expect(isLostOutsideTransaction({ code: 'P1017', meta: { driverAdapterError: error } })).toBe(false)
  await first.release()
  server.answer = () => OK
  server.commands.length = 0
  await (await pool.getConnection()).release()
  expect(server.commands).toEqual([COMMAND.ping])
})

test('a transaction: ROLLBACK is answered after the rollback, and nothing of it is sent afterwards', async () => {
  server.answer = (payload) =>
    payload.includes('BEGIN') ? OK_IN_TRANSACTION : answering(COMMAND.prepare, PREPARED)(payload)
  const connection = await pool.getConnection()
  await connection.query('BEGIN')
  const late = failure(connection.execute('INSERT INTO t VALUES (1)'))
  expect(await connection.query({ sql: 'ROLLBACK' })).toEqual({
    affectedRows: 0,
    insertId: 0n,
    warningStatus: 0,
  })
  expect(await late).toMatchObject({ code: 'P2028' })
  expect(server.commands).not.toContain(COMMAND.execute)
  for (const run of [() => connection.query('DO 1'), () => connection.execute('DO 1')]) {
    expect(await failure(run())).toMatchObject({ code: 'P2028' })
  }
  expect(server.commands.filter((command) => command === COMMAND.query)).toHaveLength(2)
  await connection.release()
  expect(pool.idleConnections()).toBe(1)
})

test('a ROLLBACK that fails: the connection is closed', async () => {
  server.answer = (payload) =>
    payload.includes('BEGIN') ? OK_IN_TRANSACTION : payload.includes('ROLLBACK') ? KILLED : OK
  const connection = await pool.getConnection()
  await connection.query('BEGIN')
  await connection.query('ROLLBACK')
  await connection.release()
  expect(pool.totalConnections()).toBe(0)
})

test('a statement on MySQL: prepared, executed and closed, with the options of the query', async () => {
  server.answer = answering(COMMAND.prepare, PREPARED)
  expect(await pool.execute({ sql: 'DO 1', rowsAsArray: true })).toMatchObject({ affectedRows: 0 })
  await pool.query('DO 1')
  expect(server.commands).toEqual([COMMAND.prepare, COMMAND.execute, COMMAND.closeStatement, COMMAND.query])
})

test('a statement on MariaDB: executed before PREPARE is answered', async () => {
  Object.assign(server, { serverVersion: '11.4.2-MariaDB', isMariaDb: true })
  server.answer = answering(COMMAND.prepare, undefined)
  const lost = failure(pool.execute('DO 1'))
  await until(() => server.commands.length === 2)
  expect(server.commands).toEqual([COMMAND.prepare, COMMAND.execute])
  for (const socket of server.sockets) socket.destroy()
  expect(await lost).toMatchObject({ code: 'P1017' })
})

test.each([
  ['MySQL', '8.0.39', false],
  ['a MariaDB that is older than pipelines', '10.2.3-MariaDB', true],
])(
  'an answer of %s to PREPARE that cannot be read: the connection is lost, and the process goes on',
  async (_, serverVersion, isMariaDb) => {
    Object.assign(server, { serverVersion, isMariaDb })
    server.answer = answering(COMMAND.prepare, Buffer.from([0]))
    expect(await failure(pool.execute('DO ?', [1]))).toMatchObject({ code: 'P1017' })
    expect(pool.totalConnections()).toBe(0)
    expect(server.commands).not.toContain(COMMAND.execute)
  },
)

test('importFile: it is mariadb’s, on a connection that is returned', async () => {
  expect(await failure(pool.importFile({} as never))).toMatchObject({ code: 'ER_MISSING_SQL_PARAMETER' })
  expect([pool.activeConnections(), pool.idleConnections()]).toEqual([0, 1])
})

test('a pool without a connection: it escapes nothing, because it does not know the character set', async () => {
  expect(() => pool.escape('x')).toThrow('Connect first')
  expect(() => pool.escapeId('x')).toThrow('Connect first')
  await pool.query('DO 1')
  await pool.end()
  expect([pool.escape("it's"), pool.escapeId('a`b')]).toEqual(["'it\\'s'", '`a``b`'])
})

test('an adapter before 7.10: refused when it reads the pool as options', () => {
  expect(Object.keys(pool)).toContain('host')
  expect(() => (pool as unknown as { host: string }).host).toThrow(
    expect.objectContaining({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: '@prisma/adapter-mariadb' }),
  )
})
