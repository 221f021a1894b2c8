import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'
import { localAurora } from '../support/local-aurora.ts'

// Costs as counts, which no mood of the machine moves. Files and bytes have 5 % of slack. A change that lowers a number lowers it here too.

const run = promisify(execFile)
const program = (name: string) => fileURLToPath(new URL(name, import.meta.url))

interface LoginCost {
  readonly promises: number
  readonly listeners: number
  readonly timers: number
}

describe('a login', async () => {
  const aurora = await localAurora()
  let costs: {
    promises: Record<'none' | 'token' | 'permit', number>
    bare: LoginCost
    ours: LoginCost
  }

  beforeAll(async () => {
    const { hostname, ca, host, port, database, credentials } = aurora
    const login = { iam: { hostname, ca, credentials }, place: { host, port, user: 'app' }, database }
    const env = { ...process.env, LOGIN: JSON.stringify(login) }
    costs = JSON.parse((await run(process.execPath, [program('login-costs.mjs')], { env })).stdout)
  })

  test('cached token: 2 promises', () => {
    expect(costs.promises.token - costs.promises.none).toBeLessThanOrEqual(2)
  })

  test('permit that is free: 4 promises with its release', () => {
    expect(costs.promises.permit - costs.promises.none).toBeLessThanOrEqual(4)
  })

  test('mysql2: 21 promises more than with a password, and 13 listeners', () => {
    expect(costs.ours.promises - costs.bare.promises).toBeLessThanOrEqual(21)
    expect(costs.ours.listeners - costs.bare.listeners).toBeLessThanOrEqual(13)
  })

  test('mysql2: no timer stays', () => {
    expect(costs.ours.timers).toBeLessThanOrEqual(costs.bare.timers)
  })
})

describe('an import', () => {
  interface Loaded {
    readonly atImport: string[]
    readonly beforeToken: string[]
    readonly afterToken: string[]
  }
  const isOfSdk = (file: string) => /[/+]@?(aws-sdk|smithy)[/+]/.test(file)
  const loadedBy = async (name: string): Promise<Loaded> => {
    const folder = fileURLToPath(new URL('..', import.meta.url))
    return JSON.parse(
      (await run(process.execPath, [program('loaded-files.mjs'), name], { cwd: folder })).stdout,
    )
  }

  test.each([
    ['@aurora-iam/core', 120],
    ['@aurora-iam/mysql2', 154],
  ])('%s: at most %d files, and none of the AWS SDK before the first token', async (name, limit) => {
    const { atImport, beforeToken, afterToken } = await loadedBy(name)
    expect(new Set(atImport).size).toBeLessThanOrEqual(limit)
    expect(atImport.length).toBeGreaterThan(10)
    expect(beforeToken.filter(isOfSdk)).toEqual([])
    // What finds none above finds them here.
    expect(afterToken.filter(isOfSdk).length).toBeGreaterThan(0)
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

  const bytesOf = async (contents: string): Promise<number> => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: program('.') },
      bundle: true,
      minify: true,
      write: false,
      platform: 'node',
      format: 'cjs',
      logLevel: 'error',
    })
    return outputFiles.reduce((sum, { contents }) => sum + contents.length, 0)
  }

  // 108,500 bytes, and 5 % of slack.
  test('ours: at most 114,000 bytes more than the driver with the signer of AWS', async () => {
    const [recipe, ours] = await Promise.all([bytesOf(RECIPE), bytesOf(OURS)])
    expect(ours - recipe).toBeLessThanOrEqual(114_000)
    expect(ours).toBeGreaterThan(recipe)
  })
})
