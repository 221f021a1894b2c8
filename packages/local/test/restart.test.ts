import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import type { RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startMariaDb } from '../src/database/mariadb.ts'
import { Faults } from '../src/faults/faults.ts'
import { startListener } from '../src/server/listener.ts'
import { logIn } from './fixtures/client.ts'

let aurora: LocalAurora

beforeAll(async () => {
  aurora = await startLocalAurora({ throttle: false })
})
afterAll(() => aurora.close())

test('a restart: open connections break, new ones are refused, committed data stay', async () => {
  const before = await logIn(aurora)
  await before.query('CREATE TABLE kept (id INT PRIMARY KEY)')
  await before.query('INSERT INTO kept VALUES (1)')
  const broken = new Promise<{ code?: string }>((resolve) => before.once('error', resolve))
  const restarted = aurora.restart()
  expect(await broken).toMatchObject({ code: 'PROTOCOL_CONNECTION_LOST' })
  await expect(logIn(aurora)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await restarted
  const after = await logIn(aurora)
  expect((await after.query('SELECT id FROM kept'))[0]).toEqual([{ id: 1 }])
  await after.end()
})

test('a restart as a reader: changes are refused; as a writer: accepted again', async () => {
  await aurora.restart({ readOnly: true })
  const reader = await logIn(aurora)
  await expect(reader.query('CREATE TABLE refused (id INT)')).rejects.toMatchObject({ errno: 1290 })
  await reader.query('SELECT 1')
  await reader.end()
  await aurora.restart()
  const writer = await logIn(aurora)
  await writer.query('CREATE TABLE taken (id INT)')
  await writer.end()
})

/** Reopens a server whose port another program takes at the first moment that it is free. */
async function takenMeanwhile(): Promise<{ other: Server; reopened: Promise<void>; close(): Promise<void> }> {
  const listener = await startListener({ host: '127.0.0.1', port: 0 }, new Faults(), () => ({}) as never)
  const other = createServer()
  const reopened = listener.closedDuring(async () => {
    await once(other.listen(listener.port, '127.0.0.1'), 'listening')
  })
  await once(other, 'listening')
  return { other, reopened, close: () => listener.close() }
}

test('another program takes the port meanwhile: the restart waits for it', async () => {
  const { other, reopened, close } = await takenMeanwhile()
  await sleep(100)
  other.close()
  await reopened
  await close()
})

test('a port that another program keeps: an error after a while', async () => {
  const { other, reopened, close } = await takenMeanwhile()
  await expect(reopened).rejects.toMatchObject({
    code: 'ERR_LOCAL_AURORA_DATABASE_FAILED',
    cause: { code: 'EADDRINUSE' },
  })
  other.close()
  await close()
})

test('closed in the middle of it: the restart fails, and nothing is left', async () => {
  const doomed = await startLocalAurora()
  const restarted = doomed.restart()
  await Promise.all([
    expect(restarted).rejects.toMatchObject({ code: 'ERR_LOCAL_AURORA_DATABASE_FAILED' }),
    doomed.close(),
  ])
  await expect(logIn(doomed)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('a database given by URL, or one that was closed: not restarted', async () => {
  const theirs = await startMariaDb({ database: 'shop', users: ['owner'] })
  const { user, password } = theirs.admin
  const backend = `mysql://${user}:${password}@localhost/shop?socketPath=${encodeURIComponent(theirs.socketPath)}`
  await using stranger = await startLocalAurora({ backend })
  await expect(stranger.restart()).rejects.toMatchObject({
    code: 'ERR_LOCAL_AURORA_INVALID_OPTION',
    option: 'backend',
  })
  await stranger.close()
  await expect(stranger.restart()).rejects.toMatchObject({ code: 'ERR_LOCAL_AURORA_CLOSED' })
  await theirs.close()
})

test('the MariaDB is killed: an event, `ended`, a clear error, and clients are refused', async () => {
  await using doomed = await startLocalAurora()
  const connection = await logIn(doomed)
  const broken = new Promise<{ code?: string }>((resolve) => connection.once('error', resolve))
  const [[row]] = await connection.query<RowDataPacket[]>('SELECT @@pid_file AS file')
  process.kill(Number(await readFile(row?.file, 'utf8')), 'SIGKILL')
  expect(await broken).toMatchObject({ code: 'PROTOCOL_CONNECTION_LOST' })
  if (!doomed.ended.aborted) await once(doomed.ended, 'abort')
  const failure = {
    code: 'ERR_LOCAL_AURORA_DATABASE_FAILED',
    message: expect.stringContaining('Its last words:'),
  }
  expect(doomed.ended.reason).toMatchObject(failure)
  expect([...doomed.log].find(({ type }) => type === 'database-ended')).toMatchObject({
    connection: 0,
    detail: doomed.ended.reason.message,
  })
  await expect(doomed.restart()).rejects.toMatchObject(failure)
  await expect(logIn(doomed)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
