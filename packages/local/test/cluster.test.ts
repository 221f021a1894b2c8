import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type LocalAurora, type LocalAuroraOptions, startLocalAurora } from '@aurora-iam/local'
import type { Connection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectWith, tokenFor } from './fixtures/client.ts'

const WRITER = 'shop.cluster-abc.eu-west-1.rds.amazonaws.com'
const READER = 'shop.cluster-ro-abc.eu-west-1.rds.amazonaws.com'

/** Logs in at the address that a name leads to now. */
async function logInTo(aurora: LocalAurora, hostname: string): Promise<Connection> {
  const { host, port } = aurora.addressOf(hostname) ?? expect.unreachable(hostname)
  const token = await tokenFor(aurora, { hostname })
  return connectWith(aurora, token, { host: hostname, stream: () => connect(port, host) })
}

/** Waits until replication has brought what `sql` finds. */
async function replicated(connection: Connection, sql: string, rows: unknown[]): Promise<void> {
  for (;;) {
    const found = await connection.query(sql).catch(() => [[]])
    if (JSON.stringify(found[0]) === JSON.stringify(rows)) return
    await sleep(20)
  }
}

const OPTIONS: LocalAuroraOptions = {
  hostname: WRITER,
  hostnames: [READER],
  readerHost: '127.0.0.2',
  throttle: false,
}
const start = () => startLocalAurora(OPTIONS)

// Nothing else keeps such a program alive. It runs the built package: Node 20 runs no TypeScript.
test('a program that only awaits each call: it goes on to its end', { timeout: 120_000 }, async () => {
  const folder = fileURLToPath(new URL('..', import.meta.url))
  const run = promisify(execFile)
  await run(join(folder, '../../node_modules/.bin/tsc'), ['-b', folder])
  const program = `
    import { startLocalAurora } from '@aurora-iam/local'
    const aurora = await startLocalAurora(${JSON.stringify(OPTIONS)})
    await aurora.failover({ keepConnections: true })
    await aurora.failover()
    await aurora.restart()
    await aurora.switchover()
    await aurora.close()
    console.log('end')`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: folder })
  expect(stdout).toBe('end\n')
})

describe('two servers', () => {
  let aurora: LocalAurora

  beforeAll(async () => {
    aurora = await start()
  })
  afterAll(() => aurora.close())

  test('each endpoint name: it leads to its server, which has what was written to the other', async () => {
    expect(aurora.writer).toEqual({ host: '127.0.0.1', port: aurora.port })
    expect(aurora.reader).toEqual({ host: '127.0.0.2', port: aurora.port })
    expect(aurora.addressOf(READER.toUpperCase())).toEqual(aurora.reader)
    expect(aurora.addressOf('other.example')).toBeUndefined()
    const [writer, reader] = [await logInTo(aurora, WRITER), await logInTo(aurora, READER)]
    await writer.query('CREATE TABLE t (id INT PRIMARY KEY)')
    await writer.query('INSERT INTO t VALUES (1)')
    await replicated(reader, 'SELECT id FROM t', [{ id: 1 }])
    await expect(reader.query('INSERT INTO t VALUES (2)')).rejects.toMatchObject({ errno: 1290 })
    await Promise.all([writer.end(), reader.end()])
  })

  test('a failover: the old writer breaks and goes on as a reader, the new one has every commit', async () => {
    const old = await logInTo(aurora, WRITER)
    await old.query('INSERT INTO t VALUES (2)')
    const broken = new Promise((resolve) => old.once('error', resolve))
    const survivor = await logInTo(aurora, READER)
    await aurora.failover()
    await broken
    expect(aurora.writer.host).toBe('127.0.0.2')
    expect(aurora.reader?.host).toBe('127.0.0.1')
    expect((await survivor.query('SELECT id FROM t'))[0]).toEqual([{ id: 1 }, { id: 2 }])
    await survivor.query('INSERT INTO t VALUES (3)')
    const demoted = await logInTo(aurora, READER)
    await replicated(demoted, 'SELECT COUNT(*) AS n FROM t', [{ n: 3 }])
    await expect(demoted.query('INSERT INTO t VALUES (4)')).rejects.toMatchObject({ errno: 1290 })
    await Promise.all([survivor.end(), demoted.end()])
  })

  test('back again, with connections kept: one to the old writer gets 1290', async () => {
    const kept = await logInTo(aurora, WRITER)
    await aurora.failover({ keepConnections: true })
    await kept.query('SELECT 1')
    await expect(kept.query('INSERT INTO t VALUES (5)')).rejects.toMatchObject({ errno: 1290 })
    const writer = await logInTo(aurora, WRITER)
    await writer.query('INSERT INTO t VALUES (6)')
    await Promise.all([kept.end(), writer.end()])
  })

  test('failovers with a write on each writer: each has every commit, and takes no time to catch up', async () => {
    const committed = [1, 2, 3, 6]
    for (const id of [101, 102, 103]) {
      await aurora.failover({ keepConnections: true })
      const writer = await logInTo(aurora, WRITER)
      expect((await writer.query('SELECT COUNT(*) AS n FROM t'))[0]).toEqual([{ n: committed.length }])
      if (id !== 102) {
        await writer.query(`INSERT INTO t VALUES (${id})`)
        committed.push(id)
      }
      await writer.end()
    }
    const writer = await logInTo(aurora, WRITER)
    await writer.query('DELETE FROM t WHERE id > 100')
    await writer.end()
    await aurora.failover()
  })

  test('a switchover: names, address and certificate change, and there is no way back', async () => {
    const old = await logInTo(aurora, WRITER)
    const broken = new Promise((resolve) => old.once('error', resolve))
    const { host, port } = aurora.writer
    await aurora.switchover()
    await broken
    expect(aurora.writer.host).toBe('127.0.0.2')
    expect(aurora.reader).toBeUndefined()
    expect(aurora.addressOf(READER)).toEqual(aurora.writer)
    const green = await logInTo(aurora, WRITER)
    await green.query('INSERT INTO t VALUES (7)')
    await green.end()
    const stale = connectWith(aurora, await tokenFor(aurora, { hostname: WRITER }), {
      host: WRITER,
      stream: () => connect(port, host),
    })
    await expect(stale).rejects.toThrow(/shop-old1\.cluster-abc/)
    const blue = await logInTo(aurora, 'shop-old1.cluster-abc.eu-west-1.rds.amazonaws.com')
    await expect(blue.query('INSERT INTO t VALUES (8)')).rejects.toMatchObject({ errno: 1290 })
    expect((await blue.query('SELECT COUNT(*) AS n FROM t WHERE id > 6'))[0]).toEqual([{ n: 0 }])
    await blue.end()
    await expect(aurora.failover()).rejects.toMatchObject({ option: 'readerHost' })
    const changes = [...aurora.log].map(({ type }) => type).filter((type) => /over$/.test(type))
    expect(changes).toEqual([...Array(6).fill('failover'), 'switchover'])
  })
})

test('without a reader: failover and switchover are refused with the remedy', async () => {
  await using aurora = await startLocalAurora()
  for (const change of [aurora.failover(), aurora.switchover()]) {
    await expect(change).rejects.toMatchObject({
      code: 'ERR_LOCAL_AURORA_INVALID_OPTION',
      option: 'readerHost',
      message: expect.stringContaining("{ readerHost: '127.0.0.2' }"),
    })
  }
  await expect(aurora.switchover({ windowMs: -1 })).rejects.toMatchObject({ option: 'windowMs' })
})

test.each([
  ['readerHost', { readerHost: '10.0.0.1' }],
  ['readerHost', { readerHost: '127.0.0.1' }],
  ['readerHost', { readerHost: '127.0.0.2', backend: 'mysql://u@h' }],
])('%s %o: refused before anything is started', async (option, options) => {
  await expect(startLocalAurora(options)).rejects.toMatchObject({
    code: 'ERR_LOCAL_AURORA_INVALID_OPTION',
    option,
  })
})
