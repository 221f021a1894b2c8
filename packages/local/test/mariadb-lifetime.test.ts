import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type MariaDbOptions, startMariaDb } from '../src/database/mariadb.ts'

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

describe('the end of a private MariaDB', () => {
  const options: MariaDbOptions = { database: 'app', users: ['app'] }

  test('close() twice at once and again: the server ends once', async () => {
    const db = await startMariaDb(options)
    await Promise.all([db.close(), db.close()])
    expect(await readdir(folder)).toEqual([])
    expect(await processesOfTest()).toEqual([])
    await db.close()
  })

  test('a killed server: its folder is removed', async () => {
    const db = await startMariaDb(options)
    process.kill(db.pid, 'SIGKILL')
    await expectNothingLeft()
    await db.close()
  })

  test('killed: `ended` has the reason, and a restart fails with it', async () => {
    const db = await startMariaDb(options)
    process.kill(db.pid, 'SIGKILL')
    await expect(db.restart(false)).rejects.toMatchObject({ code: 'ERR_LOCAL_AURORA_DATABASE_FAILED' })
    expect(db.ended.aborted).toBe(true)
    const failure = {
      code: 'ERR_LOCAL_AURORA_DATABASE_FAILED',
      message: expect.stringMatching(
        /^The private MariaDB has ended.*last words:[\s\S]*ready for connections/,
      ),
    }
    expect(db.ended.reason).toMatchObject(failure)
    await expect(db.restart(false)).rejects.toMatchObject(failure)
  })

  test('a kill of the shell that supervises it: the server ends', async () => {
    const db = await startMariaDb(options)
    const { stdout } = await promisify(execFile)('ps', ['-o', 'ppid=', '-p', String(db.pid)])
    process.kill(Number(stdout), 'SIGKILL')
    await expectNothingLeft()
    await vi.waitFor(() => expect(db.ended.aborted).toBe(true))
    expect(db.ended.reason.message).toContain('The shell that supervised it was killed')
    await db.close()
  })

  test('a signal aborted during the start: the server ends', async () => {
    const reason = new Error('changed my mind')
    const controller = new AbortController()
    const starting = startMariaDb({ ...options, signal: controller.signal })
    await vi.waitFor(async () => expect(await processesOfTest()).not.toEqual([]))
    controller.abort(reason)
    await expect(starting).rejects.toMatchObject({ code: 'ERR_LOCAL_AURORA_ABORTED', cause: reason })
    await expectNothingLeft()
  })

  test('a signal aborted before the start: nothing is started', async () => {
    const signal = AbortSignal.abort(new Error('too late'))
    await expect(startMariaDb({ ...options, signal })).rejects.toMatchObject({
      code: 'ERR_LOCAL_AURORA_ABORTED',
    })
    expect(await readdir(folder)).toEqual([])
  })

  test.each([
    ['the installation', { installer: '/bin/ls', server: '/bin/true' }],
    ['the server', { installer: '/bin/true', server: '/bin/ls' }],
  ])('a failure of %s: the server ends, and its last words are reported', async (_what, binaries) => {
    const failure = await startMariaDb({ ...options, binaries }).catch((error) => error)
    expect(failure).toMatchObject({
      code: 'ERR_LOCAL_AURORA_DATABASE_FAILED',
      message: expect.stringContaining('--no-defaults'),
    })
    expect(failure.message).not.toMatch(/supervisor|No such process/)
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
    const source = fileURLToPath(new URL('../src/database/mariadb.ts', import.meta.url))
    const settings =
      '--ignoreConfig --target es2023 --module nodenext --types node --rewriteRelativeImportExtensions'
    await promisify(execFile)(compiler, [source, ...settings.split(' '), '--outDir', compiled])
  })

  afterAll(() => rm(compiled, { recursive: true }))

  function start(then: 'announce' | 'close' | 'stay'): ChildProcess {
    const program = fileURLToPath(new URL('fixtures/start-mariadb.mjs', import.meta.url))
    const stdio = ['ignore', 'pipe', 'inherit'] as const
    return spawn(process.execPath, [program, join(compiled, 'database', 'mariadb.js'), then], {
      stdio: [...stdio],
    })
  }

  async function firstOutput(program: ChildProcess): Promise<string> {
    const [text] = await once(program.stdout as NodeJS.EventEmitter, 'data')
    return String(text)
  }

  test.each(['SIGKILL', 'SIGTERM'] as const)('the program ends by %s: nothing is left', async (signal) => {
    const program = start('stay')
    const pid = Number(await firstOutput(program))
    expect(process.kill(pid, 0)).toBe(true)
    program.kill(signal)
    await expectNothingLeft()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test.each([50, 200, 400])('the program is killed %i ms into the start: nothing is left', async (ms) => {
    const program = start('announce')
    await firstOutput(program)
    await sleep(ms)
    program.kill('SIGKILL')
    await once(program, 'exit')
    await expectNothingLeft()
  })

  test.each(['announce', 'close'] as const)(
    'a program that has no more to do (%s): it exits',
    async (then) => {
      const program = start(then)
      expect(await once(program, 'exit')).toEqual([0, null])
      await expectNothingLeft()
    },
  )

  test('the session of the server: another one, which Ctrl-C in a terminal does not reach', async () => {
    const program = start('stay')
    const pid = await firstOutput(program)
    const { stdout } = await promisify(execFile)('ps', ['-o', 'sid=', '-p', `${pid},${program.pid}`])
    expect(new Set(stdout.trim().split(/\s+/)).size).toBe(2)
    program.kill()
    await expectNothingLeft()
  })
})
