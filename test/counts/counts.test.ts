import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { install, link } from '../bundlers/installed.ts'
import { localAurora } from '../support/local-aurora.ts'

// Costs as counts, which no mood of the machine moves. Files and bytes have 5 % of slack. A change that lowers a number
// lowers it here too.

const run = promisify(execFile)
const program = (name: string) => fileURLToPath(new URL(name, import.meta.url))

interface LoginCost {
  readonly promises: number
  readonly listeners: number
  readonly timersStarted: number
  readonly timers: number
}

describe('a login', async () => {
  const aurora = await localAurora()
  let costs: {
    promises: Record<'none' | 'token' | 'permit', number>
    bare: LoginCost
    ours: LoginCost
    perfHooks: { afterLogins: boolean; afterUse: boolean }
  }

  beforeAll(async () => {
    const { hostname, ca, host, port, database, credentials } = aurora
    const login = { iam: { hostname, ca, credentials }, place: { host, port, user: 'app' }, database }
    const env = { ...process.env, LOGIN: JSON.stringify(login) }
    costs = JSON.parse((await run(process.execPath, [program('login-costs.mjs')], { env })).stdout)
  })

  test('cached token: no promise but its own', () => {
    expect(costs.promises.token - costs.promises.none).toBeLessThanOrEqual(0)
  })

  test('permit that is free: 2 promises with its release', () => {
    expect(costs.promises.permit - costs.promises.none).toBeLessThanOrEqual(2)
  })

  test('mysql2: 9 promises more than with a password, and 12 listeners', () => {
    expect(costs.ours.promises - costs.bare.promises).toBeLessThanOrEqual(9)
    expect(costs.ours.listeners - costs.bare.listeners).toBeLessThanOrEqual(12)
  })

  test('mysql2: 3 timers more, and none stays', () => {
    // Two limits, and the timer that all connections share where it is not running.
    expect(costs.ours.timersStarted - costs.bare.timersStarted).toBeLessThanOrEqual(3)
    expect(costs.ours.timers).toBeLessThanOrEqual(costs.bare.timers)
  })

  test('mysql2: Node loads no perf_hooks, which `performance` would make it load', () => {
    expect(costs.perfHooks).toEqual({ afterLogins: false, afterUse: true })
  })
})

/** Folder with the published form of the packages. */
let installed: string

beforeAll(async () => {
  installed = await mkdtemp(join(tmpdir(), 'counts-'))
  await install(installed)
  // The recipe needs it in its own place.
  await link(program('../node_modules/@aws-sdk/rds-signer'), installed, '@aws-sdk/rds-signer')
})

afterAll(() => rm(installed, { recursive: true }))

describe('an import', () => {
  interface Loaded {
    readonly atImport: string[]
    readonly beforeToken: string[]
    readonly afterToken: string[]
    /** Those of all that an ES module imported. */
    readonly imported: string[]
  }
  const isOfSdk = (file: string) => /[/+]@?(aws-sdk|smithy)[/+]/.test(file)
  const ENVIRONMENT = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' }
  const loadedBy = async (name: string, credentials: NodeJS.ProcessEnv = ENVIRONMENT): Promise<Loaded> => {
    const copy = join(installed, 'loaded-files.mjs')
    await copyFile(program('loaded-files.mjs'), copy)
    const env = { PATH: process.env.PATH, HOME: installed, ...credentials }
    return JSON.parse((await run(process.execPath, [copy, name], { env })).stdout)
  }

  test.each([
    ['@aurora-iam/core', 15],
    ['@aurora-iam/mysql2', 16],
  ])('%s: at most %d files, and none of the AWS SDK before the first token', async (name, limit) => {
    const { atImport, beforeToken, afterToken } = await loadedBy(name)
    expect(new Set(atImport).size).toBeLessThanOrEqual(limit)
    expect(atImport.length).toBeGreaterThan(1)
    expect(beforeToken.filter(isOfSdk)).toEqual([])
    // What finds none above finds them here.
    expect(afterToken.filter(isOfSdk).length).toBeGreaterThan(0)
  })

  // Node 20 reads each with a parser in JavaScript: 29 KB of another one made a start take 1.4 of the recipe.
  test('the first token with a profile: of the AWS SDK only the signer and the chain are imported', async () => {
    const profile = join(installed, 'profile')
    await writeFile(profile, '[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n')
    const { imported } = await loadedBy('@aurora-iam/core', { AWS_SHARED_CREDENTIALS_FILE: profile })
    const names = imported
      .filter(isOfSdk)
      .map((file) => /(aws-sdk|smithy)\/[^/]+(?!.*node_modules)/.exec(file)?.[0])
    expect(new Set(names)).toEqual(new Set(['aws-sdk/credential-provider-node', 'aws-sdk/rds-signer']))
  })

  test('@aurora-iam/mysql2: one file of core and one of rate-limit, which has no code for fleets', async () => {
    const { atImport } = await loadedBy('@aurora-iam/mysql2')
    const ours = atImport.map((file) => /(core|rate-limit)\/dist\/.*/.exec(file)?.[0]).filter(Boolean)
    expect(ours).toEqual(['core/dist/adapter.js', 'rate-limit/dist/limiter.js'])
  })

  test('published JavaScript: 7 files, in ASCII, which V8 reads faster', async () => {
    const packages = join(installed, 'node_modules/@aurora-iam')
    const files = await readdir(packages, { recursive: true })
    const published = files.filter((file) => /^[^/]+\/dist\/[^/]+\.js$/.test(file))
    expect(published).toHaveLength(7)
    for (const file of published) expect(await readFile(join(packages, file), 'utf8')).toMatch(/^[\0-\x7F]*$/)
  })
})

describe('a bundle', () => {
  const RECIPE = `
    import { Signer } from '@aws-sdk/rds-signer'
    import mysql from 'mysql2/promise'
    export { mysql, Signer }`
  const OURS = `
    import { withAuroraIam } from '@aurora-iam/mysql2'
    import mysql from 'mysql2/promise'
    export { mysql, withAuroraIam }`

  const bundleOf = async (contents: string): Promise<string> => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: installed },
      bundle: true,
      minify: true,
      write: false,
      platform: 'node',
      format: 'cjs',
      logLevel: 'error',
    })
    return outputFiles.map(({ text }) => text).join('')
  }
  const bytesOf = async (contents: string) => Buffer.byteLength(await bundleOf(contents))

  // 107,000 bytes, and 5 % of slack.
  test('ours: at most 112,500 bytes more than the driver with the signer of AWS', async () => {
    const [recipe, ours] = await Promise.all([bytesOf(RECIPE), bytesOf(OURS)])
    expect(ours - recipe).toBeLessThanOrEqual(112_500)
    expect(ours).toBeGreaterThan(recipe)
  })

  test('a limiter: the code for fleets is there with a store alone', async () => {
    const limiter =
      "import { createRateLimiter } from '@aurora-iam/rate-limit'\ncreateRateLimiter({ limit: 1 })\n"
    const store = "import { redisStore } from '@aurora-iam/rate-limit'\nredisStore({})\n"
    const errorOfFleets = 'Its reply is not one of the fleet protocol.'
    expect(await bundleOf(limiter)).not.toContain(errorOfFleets)
    expect(await bundleOf(limiter + store)).toContain(errorOfFleets)
  })
})
