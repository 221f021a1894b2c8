import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LocalAurora } from '@aurora-iam/local'
import { localAurora, READER } from '@aurora-iam/test-support/local-aurora'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const PROXY = 'local.proxy-c0local0aur0.us-east-1.rds.amazonaws.com'
const GLOBAL = 'local.global-c0local0aur0.global.rds.amazonaws.com'

// What a README leaves to its reader: where the database is. The calls themselves are the README's, to the letter.
const prelude = (adapter: string) => `
import * as ours from '@aurora-iam/${adapter}'
const { host, port, readerHost, proxyHost, globalHost, writerRegion, tunnelPort, user, database, settings } =
  JSON.parse(process.env.AURORA_SETTINGS)
const createAuroraIam = (options) => ours.createAuroraIam({ ...settings, ...options })
const complete = (iam = {}) =>
  iam.token ? iam : { ...settings, ...iam, ...(iam.hostname && { port, dial: undefined }) }
`

// How each adapter is told the port, which a README has no need to name, and how what a block has made is used where
// the block itself does not.
const ADAPTERS: Readonly<Record<string, { readonly calls: string; readonly epilogue: string }>> = {
  mysql2: {
    calls: `
const { managedPool, warmUp, withLoginRetry } = ours
const withAuroraIam = (options, iam) => ours.withAuroraIam({ port, ...options }, complete(iam))
`,
    epilogue: `
if (typeof pool !== 'undefined') await pool.query('SELECT 1')
if (typeof handler !== 'undefined') await handler()
`,
  },
  knex: {
    calls: `
const { warmUp } = ours
const auroraIamConnection = (connection, iam) => ours.auroraIamConnection({ port, ...connection }, complete(iam))
const withAuroraIam = ({ connection, ...config }, iam) =>
  ours.withAuroraIam({ ...config, connection: { port, ...connection } }, complete(iam))
`,
    epilogue: `
const { default: makeKnex } = await import('knex')
if (typeof config !== 'undefined') await makeKnex(config).raw('SELECT 1')
if (typeof db !== 'undefined') await db.raw('SELECT 1')
`,
  },
  typeorm: {
    calls: `
const { warmUp } = ours
const [username, entities] = [user, []]
const at = ({ replication, ...options }) => ({
  port,
  ...options,
  ...(replication && { replication: { master: at(replication.master), slaves: replication.slaves.map(at) } }),
})
const withAuroraIam = (options, iam) => ours.withAuroraIam(at(options), complete(iam))
`,
    epilogue: `
if (typeof dataSource !== 'undefined' && !dataSource.isInitialized) await dataSource.initialize()
`,
  },
  prisma: {
    calls: `
process.env.DATABASE_URL = 'mysql://' + user + '@' + host + '/' + database
const auroraIam = ({ url, ...options }, iam) =>
  ours.auroraIam({ ...(url ? { url: url.replace(host, host + ':' + port) } : { port }), ...options }, complete(iam))
`,
    epilogue: `
if (typeof prisma !== 'undefined') await prisma.$queryRaw\`SELECT 1\`
`,
  },
}

// A client of Prisma is generated; this one by scripts/generate.mjs.
const GENERATED = `${root}test/prisma/generated/cjs/index.js`

// Each with its number of blocks, and a folder where what they import is installed.
const FILES: ReadonlyArray<readonly [file: string, count: number, installed: string]> = [
  ['README.md', 1, 'test'],
  ['packages/mysql2/README.md', 6, 'test'],
  ['packages/knex/README.md', 6, 'test'],
  ['packages/typeorm/README.md', 8, 'examples/nestjs'],
  ['packages/prisma/README.md', 4, 'test'],
  ['docs/choosing-the-rate.md', 1, 'test'],
  ['docs/connection-lifetime.md', 3, 'test'],
  ['docs/endpoint-types.md', 1, 'test'],
  ['docs/global-database.md', 1, 'test'],
  ['docs/lambda.md', 1, 'test'],
  ['docs/local-development.md', 2, 'test'],
  ['docs/migrations.md', 1, 'test'],
  ['docs/rds-proxy.md', 1, 'test'],
  ['docs/serverless-v2.md', 1, 'test'],
]

const aurora = await localAurora({ hostnames: [READER, PROXY, GLOBAL] })

describe.each(FILES)('%s', (file, count, installed) => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(`${root}${installed}/.readme-`)
  })

  afterAll(() => rm(folder, { recursive: true }))

  test('each block of code, unchanged: it runs', async () => {
    const blocks = blocksOf(await readFile(`${root}${file}`, 'utf8'))
    expect(blocks.length).toBe(count)
    for (const [index, block] of blocks.entries()) {
      aurora.log.clear()
      await runBlock(`${folder}/${index}.mjs`, programOf(block), aurora)
      expect(aurora.log.logins.length, block).toBeGreaterThan(0)
      expect(aurora.log.refusals).toHaveLength(0)
    }
  })
})

// Pages whose code another test runs, and the tests.
const ELSEWHERE: Readonly<Record<string, string>> = {
  'docs/jest.md': 'test/jest/jest.test.ts',
  'docs/knex.md': 'test/knex/frameworks.test.ts',
  'docs/shutdown.md': 'test/shutdown.test.ts',
  'docs/writing-an-adapter.md': 'test/skeleton/conformance.test.ts',
}

test('each page with code for a program: a test runs it', async () => {
  const run = new Set([...FILES.map(([file]) => file), ...Object.keys(ELSEWHERE)])
  for (const name of await readdir(`${root}docs`)) {
    if (!name.endsWith('.md')) continue
    const hasCode = /^```(ts|js)$/m.test(await readFile(`${root}docs/${name}`, 'utf8'))
    if (hasCode) expect(run).toContain(`docs/${name}`)
  }
})

function blocksOf(markdown: string): string[] {
  return [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code as string)
}

/** Makes a program of a block, for the adapter that it imports. */
function programOf(block: string): string {
  const imports = /^import .* from '@aurora-iam\/(\w+)'$/gm
  const [, name = ''] = imports.exec(block) ?? []
  const adapter = ADAPTERS[name]
  if (!adapter) throw new Error(`This block imports no adapter:\n${block}`)
  const { calls, epilogue } = adapter
  const code = block.replaceAll(imports, '').replaceAll('./generated/prisma/client.ts', GENERATED)
  return `${prelude(name)}${calls}${code}${epilogue}process.exit(0)\n`
}

async function runBlock(path: string, code: string, aurora: LocalAurora): Promise<void> {
  await writeFile(path, code)
  const { hostname, port, region, ca, credentials } = aurora
  const settings = { region, ca, credentials, dial: { host: aurora.host, port } }
  const place = {
    host: hostname,
    port,
    readerHost: READER,
    proxyHost: PROXY,
    globalHost: GLOBAL,
    writerRegion: region,
    tunnelPort: port,
    user: 'app',
    database: 'app',
    settings,
  }
  await run(process.execPath, [path], {
    env: { ...process.env, NODE_ENV: 'production', AURORA_SETTINGS: JSON.stringify(place) },
    timeout: 20_000,
  })
}
