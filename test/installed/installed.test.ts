import { execFile } from 'node:child_process'
import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))

/** Every package that can be imported, with one export. */
const EXPORTS = {
  '@aurora-iam/core': 'createAuroraIam',
  '@aurora-iam/core/adapter': 'adapterIam',
  '@aurora-iam/knex': 'withAuroraIam',
  '@aurora-iam/local': 'startLocalAurora',
  '@aurora-iam/local/iam': 'parseToken',
  '@aurora-iam/mysql2': 'withAuroraIam',
  '@aurora-iam/mysql2/adapter': 'connectionHooks',
  '@aurora-iam/prisma': 'auroraIam',
  '@aurora-iam/rate-limit': 'createRateLimiter',
  '@aurora-iam/typeorm': 'withAuroraIam',
  '@aurora-iam/wire': 'PacketChannel',
}

describe('the packages, packed and installed by npm in an empty project', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'installed-'))
    const drivers = ['mysql2@3.24.6', 'knex@3.3.0', 'typeorm@1.1.1', '@types/node@20.19.43']
    await run(process.execPath, [join(here, 'install.mjs'), folder, ...drivers])
    await copyFile(join(here, 'login.mjs'), join(folder, 'login.mjs'))
    // The same program as a CommonJS module and as an ES module.
    for (const file of ['usage.ts', 'usage.mts']) await copyFile(join(here, 'usage.ts'), join(folder, file))
  }, 240_000)

  afterAll(() => rm(folder, { recursive: true }))

  const node = (...args: string[]) => run(process.execPath, args, { cwd: folder })

  test('an ES module: imports each', async () => {
    const program = `for (const [name, one] of Object.entries(${JSON.stringify(EXPORTS)})) {
      if (typeof (await import(name))[one] !== 'function') throw new Error(name)
    }`
    expect(await node('--input-type=module', '--eval', program)).toEqual({ stdout: '', stderr: '' })
  })

  test('CommonJS: requires each, without a warning', async () => {
    const program = `for (const [name, one] of Object.entries(${JSON.stringify(EXPORTS)})) {
      if (typeof require(name)[one] !== 'function') throw new Error(name)
    }`
    expect(await node('--eval', program)).toEqual({ stdout: '', stderr: '' })
  })

  test('a program: logs in to the Local Aurora that is installed', async () => {
    expect(await node('login.mjs')).toEqual({ stdout: 'app@%\n', stderr: '' })
  })

  test('an adapter with a separate copy of core: works with the AuroraIam of the other copy', async () => {
    const nested = join(folder, 'node_modules/@aurora-iam/mysql2/node_modules/@aurora-iam/core')
    await mkdir(dirname(nested), { recursive: true })
    await cp(join(folder, 'node_modules/@aurora-iam/core'), nested, { recursive: true })
    const program = `
      import * as core from '@aurora-iam/core'
      import * as adapter from '@aurora-iam/mysql2'
      import mysql from 'mysql2/promise'
      if (core.createAuroraIam === adapter.createAuroraIam) throw new Error('one copy')
      const tokenProvider = () => { throw new Error('asked') }
      const iam = core.createAuroraIam({ tokenProvider, rateLimit: 7 })
      const host = 'mydb.cluster-c0example0.eu-west-1.rds.amazonaws.com'
      const refused = mysql.createConnection(adapter.withAuroraIam({ host, user: 'app' }, iam))
      const error = await refused.catch((reason) => reason)
      console.log(error instanceof core.AuroraIamError, error.code, iam.stats().connectionsFailed)`
    const { stdout } = await node('--input-type=module', '--eval', program)
    await rm(dirname(dirname(nested)), { recursive: true })
    expect(stdout).toBe('true ERR_AURORA_IAM_TOKEN_FAILED 1\n')
  })

  test('the commands: run by their names', async () => {
    for (const name of ['aurora-iam', 'local-aurora']) {
      const { stdout } = await run(join(folder, 'node_modules/.bin', name), ['--help'], { cwd: folder })
      expect(stdout).toContain(name)
    }
  })

  test('vitest: runs a test that imports them', async () => {
    const source = `import { withAuroraIam } from '@aurora-iam/mysql2'
      test('it', () => expect(withAuroraIam).toBeTypeOf('function'))`
    await writeFile(join(folder, 'a.test.js'), source)
    const vitest = join(root, 'node_modules/.bin/vitest')
    const args = ['run', '--globals', '--reporter', 'json', '--root', folder]
    const { stdout } = await run(vitest, args, { cwd: folder })
    expect(JSON.parse(stdout)).toMatchObject({ success: true, numPassedTests: 1 })
  })

  test.each([
    ['nodenext', ['--module', 'nodenext'], ['usage.ts', 'usage.mts']],
    ['node16', ['--module', 'node16'], ['usage.mts']],
    ['node20', ['--module', 'node20'], ['usage.ts', 'usage.mts']],
    ['bundler', ['--module', 'esnext', '--moduleResolution', 'bundler'], ['usage.mts']],
  ])(
    'TypeScript with moduleResolution %s: compiles each import',
    {
      timeout: 120_000,
    },
    async (_name, options, files) => {
      expect(await compile([...options, ...files])).toEqual([])
    },
  )

  test('TypeScript with node16 in a CommonJS file: refuses to require an ES module, which nodenext allows', {
    timeout: 120_000,
  }, async () => {
    const errors = await compile(['--module', 'node16', 'usage.ts'])
    expect(errors.length).toBeGreaterThan(0)
    for (const error of errors) expect(error).toContain('TS1479')
  })

  test('TypeScript with moduleResolution node10: finds the packages, and no subpath', {
    timeout: 120_000,
  }, async () => {
    const options = ['--module', 'esnext', '--moduleResolution', 'node10', 'usage.ts']
    const errors = await compile(options, 'typescript-5.9')
    const subpaths = Object.keys(EXPORTS).filter((name) => /\/adapter$/.test(name))
    expect(errors).toHaveLength(subpaths.length)
    for (const subpath of subpaths) expect(errors.join()).toContain(`Cannot find module '${subpath}'`)
  })

  /** Returns the errors of the compiler. */
  async function compile(options: readonly string[], compiler = 'typescript'): Promise<string[]> {
    const from = compiler === 'typescript' ? root : join(root, 'test/types/')
    const tsc = join(dirname(createRequire(from).resolve(`${compiler}/package.json`)), 'bin/tsc')
    const common = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--types', 'node']
    const args = [tsc, ...common, ...options]
    const { stdout } = await node(...args).catch((error: { stdout: string }) => error)
    return stdout.split('\n').filter((line) => line.includes('error'))
  }
})
