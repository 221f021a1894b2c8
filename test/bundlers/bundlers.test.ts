import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { credentialsEnvironment } from '@aurora-iam/test-support/cli-program'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { localAurora } from '../support/local-aurora.ts'
import { BUNDLERS, REQUIRE } from './bundlers.ts'
import { install } from './installed.ts'

const aurora = await localAurora()

test('esbuild, ES module: the page on Lambda has the line that it needs', async () => {
  expect(await readFile(new URL('../../docs/lambda.md', import.meta.url), 'utf8')).toContain(REQUIRE)
})

describe('a program in a bundle', () => {
  let folder: string
  let entry: string
  let env: NodeJS.ProcessEnv

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bundlers-'))
    await install(join(folder, 'installed'))
    entry = join(folder, 'installed/main.mjs')
    await copyFile(new URL('entry.mjs', import.meta.url), entry)
    const { hostname, ca, host, port, database, credentials } = aurora
    await writeFile(join(folder, 'config'), '[default]\nregion = eu-north-1\n')
    env = {
      PATH: process.env.PATH,
      LOGIN: JSON.stringify({ iam: { hostname, ca }, place: { host, port, user: 'app', database } }),
      AWS_CONFIG_FILE: join(folder, 'config'),
      ...credentialsEnvironment(credentials),
    }
  })

  afterAll(() => rm(folder, { recursive: true }))

  test.each(BUNDLERS)(
    '%s: logs in, and finds the Region of the profile',
    { timeout: 120_000 },
    async (name, bundle) => {
      // Beside the installation, so that nothing is resolved from it.
      const program = await bundle(entry, join(folder, name.replaceAll(/\W+/g, '-')))
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [program], { cwd: folder, env })
      expect(stderr).toBe('')
      expect(JSON.parse(stdout)).toEqual({ user: expect.stringMatching(/^app@/), region: 'eu-north-1' })
      expect(aurora.log.logins).toHaveLength(1)
    },
  )
})
