import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { until } from '@aurora-iam/test-support/until'
import { afterAll, beforeAll, expect, test } from 'vitest'

const here = fileURLToPath(new URL('.', import.meta.url))
const cli = join(here, '../../packages/cli')
const bin = join(cli, 'bin/aurora-iam.js')

let local: ChildProcess
let folder: string
let environment: NodeJS.ProcessEnv
const printed = { out: '', error: '' }

// What `aurora-iam local` prints for the first try, pasted as it stands.
beforeAll(async () => {
  await promisify(execFile)(join(cli, '../../node_modules/.bin/tsc'), ['-b', cli])
  // Inside of the project, so that the programs find their packages.
  folder = await mkdtemp(`${here}.lines-`)
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'aurora-iam'), `#!/bin/sh\nexec ${process.execPath} ${bin} "$@"\n`, {
    mode: 0o755,
  })
  local = spawn(process.execPath, [bin, 'local'])
  local.stdout?.on('data', (chunk) => {
    printed.out += chunk
  })
  local.stderr?.on('data', (chunk) => {
    printed.error += chunk
  })
  await until(() => printed.out.includes('\nPrisma '), 'the lines were not printed')
  const exports = [...printed.out.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [
    name,
    value?.replace(/^'(.*)'$/, '$1'),
  ])
  environment = {
    PATH: `${folder}:${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: folder,
    ...Object.fromEntries(exports),
  }
}, 60_000)

afterAll(async () => {
  local.kill('SIGTERM')
  expect(await once(local, 'close')).toEqual([0, null])
  expect(printed.error).toBe('')
  await rm(folder, { recursive: true })
})

/** Returns the line that begins with `name`, without that. */
function line(name: string): string {
  const found = new RegExp(`^${name} +(.*)$`, 'm').exec(printed.out)?.[1]
  if (found === undefined) throw new Error(`no line of ${name} was printed`)
  return found
}

async function shell(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd: folder, env: environment })
  return stdout
}

/** Runs a program around an expression that was printed. */
async function program(name: string, lines: readonly string[]): Promise<string> {
  await writeFile(join(folder, `${name}.js`), ["import { readFileSync } from 'node:fs'", ...lines].join('\n'))
  return shell(`node ${name}.js`)
}

test('the line of doctor: it logs in', async () => {
  expect(await shell(line('try it'))).toMatch(/^ok +login +app is accepted$/m)
})

test('the line of mysql: it logs in', async () => {
  expect(await shell(`${line('mysql')} -N -e 'SELECT user()'`)).toBe('app@localhost\n')
})

test('the line of mysql2: it logs in', async () => {
  const answer = await program('mysql2', [
    "import { createPool } from 'mysql2/promise'",
    "import { withAuroraIam } from '@aurora-iam/mysql2'",
    `const pool = ${line('mysql2')}`,
    "console.log((await pool.query('SELECT user() AS user'))[0][0].user)",
    'await pool.end()',
  ])
  expect(answer).toBe('app@localhost\n')
})

test('the line of Knex: it logs in', async () => {
  const answer = await program('knex', [
    "import knex from 'knex'",
    "import { withAuroraIam } from '@aurora-iam/knex'",
    `const db = ${line('Knex')}`,
    "console.log((await db.raw('SELECT user() AS user'))[0][0].user)",
    'await db.destroy()',
  ])
  expect(answer).toBe('app@localhost\n')
})

test('the line of TypeORM: it logs in', async () => {
  const answer = await program('typeorm', [
    "import { DataSource } from 'typeorm'",
    "import { withAuroraIam } from '@aurora-iam/typeorm'",
    `const source = ${line('TypeORM')}`,
    'await source.initialize()',
    "console.log((await source.query('SELECT user() AS user'))[0].user)",
    'await source.destroy()',
  ])
  expect(answer).toBe('app@localhost\n')
})

test('the line of Prisma: it logs in', async () => {
  const answer = await program('prisma', [
    "import { auroraIam } from '@aurora-iam/prisma'",
    `const { adapter } = ${line('Prisma')}`,
    'const connection = await adapter.connect()',
    "const { rows } = await connection.queryRaw({ sql: 'SELECT user()', args: [], argTypes: [] })",
    'console.log(rows[0][0])',
    'await connection.dispose()',
  ])
  expect(answer).toBe('app@localhost\n')
})
