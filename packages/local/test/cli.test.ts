import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Signer } from '@aws-sdk/rds-signer'
import { createConnection } from 'mysql2/promise'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../src/cli.ts'

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))

describe('arguments', () => {
  const run = async (...args: string[]) => {
    let written = ''
    const write = (text: string): void => {
      written += text
    }
    await runCli({ arguments: args, write, signal: AbortSignal.timeout(20_000) })
    return written
  }

  test.each(['--help', '-h'])('%s: it explains every option', async (help) => {
    expect(await run(help)).toMatch(/--port.*--user.*--database.*--backend.*--throttle.*--version/s)
  })

  test('--version: the one of the package', async () => {
    const { version } = createRequire(import.meta.url)('../package.json')
    expect(await run('--version')).toBe(`${version}\n`)
  })

  test.each([
    ['port', ''],
    ['port', '0x10'],
    ['port', ' 3306'],
    ['port', '1.5'],
    ['throttle', ''],
    ['throttle', '0x10'],
  ])('--%s %j: refused by its name', async (name, value) => {
    await expect(run(`--${name}`, value)).rejects.toMatchObject({
      code: 'ERR_LOCAL_AURORA_INVALID_OPTION',
      message: expect.stringContaining(name),
    })
  })

  test.each([['--prot', '1'], ['--port', 'x'], ['--throttle', '0'], ['--backend', 'postgres://x'], ['word']])(
    '%s %s: refused',
    async (...args) => {
      await expect(run(...args)).rejects.toMatchObject({ code: 'ERR_LOCAL_AURORA_INVALID_OPTION' })
    },
  )
})

describe('the program', () => {
  let program: ChildProcess

  // What is spawned is the built program: Node 20 runs no TypeScript.
  beforeAll(() => promisify(execFile)(path('../../node_modules/.bin/tsc'), ['-b', path('.')]))
  afterEach(() => void program.kill('SIGKILL'))

  async function untilItSays(output: { text: string }, pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(output.text)
      if (match !== null) return match
      await once(program.stdout as NodeJS.ReadableStream & NodeJS.EventEmitter, 'data')
    }
  }

  /** Starts the program, and waits for the code that it prints to be complete. */
  async function start(...args: string[]): Promise<{ text: string }> {
    program = spawn(process.execPath, [path('bin/local-aurora.js'), ...args])
    const output = { text: '' }
    program.stdout?.on('data', (chunk) => {
      output.text += chunk
    })
    await untilItSays(output, /\)\)\n\n/)
    return output
  }

  /** Logs in with what the program printed. */
  async function logIn({ text }: { text: string }, user: string, database: string): Promise<void> {
    const setting = (name: string) => new RegExp(`export ${name}=(\\S+)`).exec(text)?.[1] as string
    const [, hostname, port] = /Sign for (\S+):(\d+) in/.exec(text) as unknown as [string, string, string]
    const signer = new Signer({
      hostname,
      port: Number(port),
      username: user,
      region: setting('AWS_REGION'),
      credentials: {
        accessKeyId: setting('AWS_ACCESS_KEY_ID'),
        secretAccessKey: setting('AWS_SECRET_ACCESS_KEY'),
        sessionToken: setting('AWS_SESSION_TOKEN'),
      },
    })
    const [, caFile] = /export AURORA_IAM_CA=(\S+)/.exec(text) as unknown as [string, string]
    const connection = await createConnection({
      host: '127.0.0.1',
      port: Number(port),
      user,
      database,
      password: await signer.getAuthToken(),
      enableCleartextPlugin: true,
      ssl: { ca: await readFile(caFile, 'utf8') },
    })
    await connection.end()
  }

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'the program: it prints how to log in, shows logins, and ends on %s',
    async (signal) => {
      const output = await start('--user', 'reader', '--database', 'shop')
      await logIn(output, 'reader', 'shop')
      await untilItSays(output, /login of "reader"/)
      const ended = once(program, 'exit')
      program.kill(signal)
      expect(await ended).toEqual([0, null])
      expect(existsSync(/AURORA_IAM_CA=(\S+)/.exec(output.text)?.[1] as string)).toBe(false)
    },
  )

  test('names that a shell or JavaScript could read as more than names: printed as the same text', async () => {
    const [user, database] = ["o'brien $(id) `id`", `back\\slash "shop" \${id}`]
    const { text } = await start('--user', user, '--database', database)
    await logIn({ text }, user, database)
    const word = /doctor .*--user (.+)\n/.exec(text)?.[1]
    expect((await promisify(execFile)('sh', ['-c', `printf %s ${word}`])).stdout).toBe(user)
    const [code] = /createPool\(.*\)\)/s.exec(text) as unknown as [string]
    const given = new Function('createPool', 'withAuroraIam', 'readFileSync', 'process', `return ${code}`)
    const itself = (value: unknown) => value
    expect(given(itself, itself, itself, { env: {} })).toMatchObject({ user, database })
  })

  test('the reader of the log leaves: the program goes on without it', async () => {
    const output = await start()
    let complaint = ''
    program.stderr?.on('data', (chunk) => {
      complaint += chunk
    })
    program.stdout?.destroy()
    await logIn(output, 'app', 'app')
    await logIn(output, 'app', 'app')
    const ended = once(program, 'close')
    program.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    expect(complaint).toBe('')
  })

  test('a start that fails: one sentence', async () => {
    program = spawn(process.execPath, [path('bin/local-aurora.js'), '--port', '70000'])
    let complaint = ''
    program.stderr?.on('data', (chunk) => {
      complaint += chunk
    })
    expect(await once(program, 'close')).toEqual([1, null])
    expect(complaint).toBe('local-aurora: port: expected a port number from 0 to 65535\n')
  })
})
