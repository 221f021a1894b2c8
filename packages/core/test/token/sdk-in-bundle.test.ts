import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { TOKEN_VECTORS } from '@aurora-iam/test-support/token-vectors'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sdkExports } from '../../src/util/sdk-exports.ts'

const run = promisify(execFile)
const core = fileURLToPath(new URL('../../', import.meta.url))
const [{ region, credentials, hostname, port, username, signedAt, signature }] = TOKEN_VECTORS as [
  (typeof TOKEN_VECTORS)[number],
]
const { accessKeyId, secretAccessKey } = credentials
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-'))
  const program = `
    import { createAuroraIam } from './src/index.ts'
    const target = ${JSON.stringify({ hostname, port, username })}
    const token = (options) => createAuroraIam({ region: '${region}', ...options }).token(target)
    const cname = { ...target, hostname: 'db.example.com' }
    const credentials = ${JSON.stringify(credentials)}
    const now = await token({ credentials })
    const then = await token({ credentials, clock: () => Date.parse('${signedAt}') })
    const ofChain = await token({})
    const ofProfile = await createAuroraIam({ credentials }).token(cname)
    console.log(JSON.stringify([now.value, then.value, ofChain.value, ofProfile.value]))`
  await writeFile(join(folder, 'config'), '[default]\nregion = eu-north-1\n')
  await build({
    stdin: { contents: program, resolveDir: core, sourcefile: 'program.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@aurora-iam/source'],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    // CommonJS modules in an ES bundle call it.
    banner: {
      js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)",
    },
    logLevel: 'error',
  })
}, 60_000)

afterAll(() => rm(folder, { recursive: true }))

test('an ES bundle that esbuild split: signer, clock, credential chain and configuration are found', async () => {
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_CONFIG_FILE: join(folder, 'config'),
    AWS_PROFILE: undefined,
    AWS_REGION: undefined,
  }
  const { stdout } = await run(process.execPath, [join(folder, 'stdin.mjs')], { env, timeout: 30_000 })
  const [now, then, ofChain, ofProfile] = JSON.parse(stdout) as string[]
  expect(then).toContain(`X-Amz-Signature=${signature}`)
  for (const token of [now, ofChain]) {
    expect(token).toContain(`X-Amz-Credential=${accessKeyId}`)
    expect(token).toMatch(/X-Amz-Signature=[0-9a-f]{64}/)
  }
  expect(ofProfile).toContain('%2Feu-north-1%2Frds-db')
})

test.each([
  ['names beside default, as Node imports CommonJS', { Signer: 1, default: { Signer: 2 } }, 1],
  ['default alone, as in a chunk of esbuild', { default: { Signer: 2 } }, 2],
  ['names alone, as an ES module', { Signer: 1 }, 1],
])('%s: the names are returned', async (_form, loaded, expected) => {
  expect(await sdkExports(Promise.resolve(loaded as { Signer: number }))).toMatchObject({ Signer: expected })
})
