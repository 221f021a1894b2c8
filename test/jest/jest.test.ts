import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { credentialsEnvironment } from '@aurora-iam/test-support/cli-program'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { expect, onTestFinished, test } from 'vitest'
import { install, type Layout, link } from '../bundlers/installed.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const { resolve } = createRequire(import.meta.url)

/** Packages that a project with Jest installs beside ours. */
const INSTALLED = [
  ...['@babel/core', '@babel/preset-env', '@babel/preset-typescript'],
  ...['@types/jest', '@types/node', 'babel-jest', 'jest', 'ts-jest', 'typescript'],
]

const IMPORTS = `
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createPool } from 'mysql2/promise'`
const REQUIRES = `
const { withAuroraIam } = require('@aurora-iam/mysql2')
const { createPool } = require('mysql2/promise')`
const LOGIN = `
test('a pool logs in', async () => {
  const { options, iam } = JSON.parse(process.env.LOGIN ?? '')
  const pool = createPool(withAuroraIam(options, iam))
  const [rows] = await pool.query('SELECT 1 AS one')
  expect(rows).toEqual([{ one: 1 }])
  await pool.end()
})`

/** The test of each form, with the way in which it gets the packages. */
const TESTS = {
  babel: ['login.test.ts', IMPORTS],
  commonjs: ['login.test.js', REQUIRES],
  'es-modules': ['login.test.mjs', IMPORTS],
  nest: ['src/login.spec.ts', IMPORTS],
  require: ['login.test.js', REQUIRES],
  'ts-jest': ['login.test.ts', IMPORTS],
} as const

type Form = keyof typeof TESTS

const VM_MODULES = '--experimental-vm-modules'
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const hasRequireOfEsModules = major > 24 || (major === 24 && minor >= 9)

const aurora = await localAurora()

/** Runs Jest in copies of the `forms`, each beside an installation. Returns the report that Jest writes. */
async function jest(forms: readonly Form[], layout: Layout, ...flags: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'jest-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await install(folder, layout)
  for (const name of INSTALLED) await link(join(here, 'node_modules', name), folder, name)
  for (const form of forms) {
    const [file, head] = TESTS[form]
    const path = join(folder, form, file)
    await cp(join(here, 'forms', form), join(folder, form), { recursive: true })
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, `${head}\n${LOGIN}`)
  }
  const { host, port, database, hostname, ca, credentials } = aurora
  const env = {
    PATH: process.env.PATH,
    TMPDIR: folder,
    LOGIN: JSON.stringify({ options: { host, port, database, user: 'app' }, iam: { hostname, ca } }),
    ...credentialsEnvironment(credentials),
  }
  const args = [...flags, join(dirname(resolve('jest/package.json')), 'bin/jest.js')]
  const projects = forms.map((form) => join(form, 'jest.config.cjs'))
  const settings = [
    '--json',
    '--runInBand',
    '--cacheDirectory',
    join(folder, 'cache'),
    '--projects',
    ...projects,
  ]
  const ran = promisify(execFile)(process.execPath, [...args, ...settings], { cwd: folder, env })
  // Jest ends with status 1 where a test fails: its report has the reason.
  const { stdout } = await ran.catch((error: { stdout: string }) => error)
  return JSON.parse(stdout)
}

const FORMS: ReadonlyArray<
  readonly [form: string, forms: readonly Form[], Layout, flags: readonly string[]]
> = [
  ['CommonJS, by npm', ['commonjs'], 'npm', []],
  ['Babel, ts-jest and Nest, by pnpm', ['babel', 'ts-jest', 'nest'], 'pnpm', []],
  ['ES modules', ['es-modules'], 'npm', [VM_MODULES]],
  // Jest requires ES modules since Node 24.9.
  ...(hasRequireOfEsModules ? ([['require', ['require'], 'npm', [VM_MODULES]]] as const) : []),
]

test.each(FORMS)('%s: a pool logs in', { timeout: 240_000 }, async (_form, forms, layout, flags) => {
  const { testResults } = await jest(forms, layout, ...flags)
  const failures = testResults.map(({ message }: { message: string }) => message)
  expect(failures).toEqual(forms.map(() => ''))
  expect(aurora.log.logins).toHaveLength(forms.length)
})
