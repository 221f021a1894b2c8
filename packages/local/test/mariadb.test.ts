import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type MariaDb, type MariaDbOptions, startMariaDb } from '../src/mariadb.ts'
import { findMariaDb } from '../src/mariadb-binaries.ts'

/** Where every database of a test is made, so that what is left of it can be seen. */
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-mariadb-'))
  vi.stubEnv('TMPDIR', folder)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

async function processesOfTest(): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,args', '-ww'])
  return stdout.split('\n').filter((line) => line.includes(`${folder}/`))
}

async function expectNothingLeft() {
  await vi.waitFor(
    async () => {
      expect(await readdir(folder)).toEqual([])
      expect(await processesOfTest()).toEqual([])
    },
    { timeout: 10_000, interval: 50 },
  )
}

async function query(db: MariaDb, user: string, sql: string, database?: string): Promise<RowDataPacket[]> {
  const connection = await createConnection({
    socketPath: db.socketPath,
    ...db.account(user),
    ...(database !== undefined && { database }),
  })
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql)
    return rows
  } finally {
    await connection.end()
  }
}

describe('a private MariaDB', () => {
  const DATABASE = 'my_`db`'
  const AWKWARD = `o'brien\\"ü@x`
  let db: MariaDb

  // A server for them all: the hook of the file gives the tests another folder, not the server.
  beforeAll(async () => {
    db = await startMariaDb({ database: DATABASE, users: ['app', AWKWARD] })
  })

  afterAll(() => db.close())

  test.each(['app', AWKWARD])('lets %s in, with every right on the database', async (user) => {
    const [row] = await query(db, user, 'SELECT current_user() AS user, database() AS db', DATABASE)
    expect(row).toEqual({ user: `${user}@%`, db: DATABASE })
    await query(db, user, 'CREATE OR REPLACE TABLE t (id INT PRIMARY KEY) SELECT 1 AS id', DATABASE)
  })

  test('gives users no right on anything else, a database of a similar name included', async () => {
    const grants = await query(db, 'app', 'SHOW GRANTS')
    expect(grants.flatMap((row) => Object.values(row))).toEqual([
      expect.stringMatching(/^GRANT USAGE ON \*\.\* TO `app`@`%`/),
      'GRANT ALL PRIVILEGES ON `my\\_``db```.* TO `app`@`%`',
    ])
    await expect(query(db, 'app', 'CREATE DATABASE `myx``db```')).rejects.toMatchObject({ errno: 1044 })
  })

  test('has a random password for each user, and no user without one but its administrator', async () => {
    expect(db.account('app').password).not.toBe(db.account(AWKWARD).password)
    for (const user of ['app', '', 'nobody'])
      await expect(createConnection({ socketPath: db.socketPath, user })).rejects.toMatchObject({
        errno: 1045,
      })
  })

  test('stores text as Aurora MySQL does and takes as many connections', async () => {
    const [row] = await query(
      db,
      'app',
      'SELECT @@character_set_server AS text, @@max_connections AS connections',
    )
    expect(row).toEqual({ text: 'utf8mb4', connections: 2000 })
  })

  test('is reached by its owner alone, and not over the network', async () => {
    expect((await stat(dirname(db.socketPath))).mode & 0o777).toBe(0o700)
    expect(await query(db, 'app', 'SELECT @@skip_networking AS off')).toEqual([{ off: 1 }])
  })

  test('knows only the users that it was started with', () => {
    expect(() => db.account('ghost')).toThrow(
      expect.objectContaining({ code: 'ERR_LOCAL_AURORA_INVALID_OPTION', option: 'users' }),
    )
  })
})

describe('the end of a private MariaDB', () => {
  const options: MariaDbOptions = { database: 'app', users: ['app'] }

  test('by close(), which may be called twice at once and again', async () => {
    const db = await startMariaDb(options)
    await Promise.all([db.close(), db.close()])
    expect(await readdir(folder)).toEqual([])
    expect(await processesOfTest()).toEqual([])
    await db.close()
  })

  test('by itself', async () => {
    const db = await startMariaDb(options)
    process.kill(db.pid, 'SIGKILL')
    await expectNothingLeft()
    await db.close()
  })

  test('by a signal aborted during the start', async () => {
    const reason = new Error('changed my mind')
    const controller = new AbortController()
    const starting = startMariaDb({ ...options, signal: controller.signal })
    await vi.waitFor(async () => expect(await processesOfTest()).not.toEqual([]))
    controller.abort(reason)
    await expect(starting).rejects.toMatchObject({ code: 'ERR_LOCAL_AURORA_ABORTED', cause: reason })
    await expectNothingLeft()
  })

  test('before it began, by a signal aborted already', async () => {
    const signal = AbortSignal.abort(new Error('too late'))
    await expect(startMariaDb({ ...options, signal })).rejects.toMatchObject({
      code: 'ERR_LOCAL_AURORA_ABORTED',
    })
    expect(await readdir(folder)).toEqual([])
  })

  test.each([
    ['the installation', { installer: '/bin/ls', server: '/bin/true' }],
    ['the server', { installer: '/bin/true', server: '/bin/ls' }],
  ])('by a failure of %s, whose last words are told', async (_what, binaries) => {
    await expect(startMariaDb({ ...options, binaries })).rejects.toMatchObject({
      code: 'ERR_LOCAL_AURORA_DATABASE_FAILED',
      message: expect.stringContaining('--no-defaults'),
    })
    await expectNothingLeft()
  })
})

describe('a program with a private MariaDB', () => {
  let compiled: string

  // Node 20 runs no TypeScript; the module is compiled alone, so that no build has to come first.
  beforeAll(async () => {
    compiled = await mkdtemp(join(tmpdir(), 'local-compiled-'))
    await writeFile(join(compiled, 'package.json'), '{ "type": "module" }')
    const compiler = fileURLToPath(new URL('../../../node_modules/.bin/tsc', import.meta.url))
    const source = fileURLToPath(new URL('../src/mariadb.ts', import.meta.url))
    const settings =
      '--ignoreConfig --target es2023 --module nodenext --types node --rewriteRelativeImportExtensions'
    await promisify(execFile)(compiler, [source, ...settings.split(' '), '--outDir', compiled])
  })

  afterAll(() => rm(compiled, { recursive: true }))

  function start(then: 'announce' | 'close' | 'stay'): ChildProcess {
    const program = fileURLToPath(new URL('fixtures/start-mariadb.mjs', import.meta.url))
    const stdio = ['ignore', 'pipe', 'inherit'] as const
    return spawn(process.execPath, [program, join(compiled, 'mariadb.js'), then], { stdio: [...stdio] })
  }

  async function firstOutput(program: ChildProcess): Promise<string> {
    const [text] = await once(program.stdout as NodeJS.EventEmitter, 'data')
    return String(text)
  }

  test.each(['SIGKILL', 'SIGTERM'] as const)('leaves nothing when it is ended by %s', async (signal) => {
    const program = start('stay')
    const pid = Number(await firstOutput(program))
    expect(process.kill(pid, 0)).toBe(true)
    program.kill(signal)
    await expectNothingLeft()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test.each([50, 200, 400])('leaves nothing when it is killed %i ms into the start', async (ms) => {
    const program = start('announce')
    await firstOutput(program)
    await sleep(ms)
    program.kill('SIGKILL')
    await once(program, 'exit')
    await expectNothingLeft()
  })

  test.each(['announce', 'close'] as const)('ends by itself when it has no more to do (%s)', async (then) => {
    const program = start(then)
    expect(await once(program, 'exit')).toEqual([0, null])
    await expectNothingLeft()
  })

  test('has it in another session, where Ctrl-C in a terminal does not reach', async () => {
    const program = start('stay')
    const pid = await firstOutput(program)
    const { stdout } = await promisify(execFile)('ps', ['-o', 'sid=', '-p', `${pid},${program.pid}`])
    expect(new Set(stdout.trim().split(/\s+/)).size).toBe(2)
    program.kill()
    await expectNothingLeft()
  })
})

test('a machine without MariaDB is told what to install, or to name a running database', () => {
  expect(() => findMariaDb('/nowhere', ['/also-nowhere'])).toThrow(
    expect.objectContaining({
      code: 'ERR_LOCAL_AURORA_NO_DATABASE',
      message: expect.stringMatching(
        /\/also-nowhere.*apt-get install mariadb-server-core.*AURORA_IAM_BACKEND=mysql:/,
      ),
    }),
  )
})
