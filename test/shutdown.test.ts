import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { afterAll, beforeAll, expect, test } from 'vitest'

const aurora = await localAurora()
const root = fileURLToPath(new URL('..', import.meta.url))
const document = await readFile(`${root}docs/shutdown.md`, 'utf8')
const recipes = [...document.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code as string)

// What the page leaves to its reader: where the database is, and the requests. One permit, then a long wait.
const PRELUDE = `
import { createServer } from 'node:http'
const { settings, ...address } = JSON.parse(process.env.AURORA_SETTINGS)
const [host, user, database] = [address.hostname, 'app', 'app']
const completed = { ...settings, rateLimit: { limit: 1, intervalMs: 600_000 }, maxWaitMs: 600_000 }
const server = createServer().listen(0, '127.0.0.1')
`

// Six requests want one of the connections that are not open. None of them may be forgotten.
const EPILOGUE = `
await query()
let open = 6
const codes = new Set()
for (let count = open; count > 0; count--) {
  query().catch((error) => codes.add(error.code ?? error.message)).then(() => --open || console.log('answered', ...codes))
}
setTimeout(() => console.log('waiting'), 100)
`

const QUERIES: Readonly<Record<string, string>> = {
  mysql2: `const promises = pool.promise?.() ?? pool
const query = () => promises.query('SELECT SLEEP(0.3)')`,
  knex: `const query = () => db.raw('SELECT SLEEP(0.3)')`,
  typeorm: `const query = () => dataSource.query('SELECT SLEEP(0.3)')`,
  prisma: 'const query = () => prisma.$queryRaw`SELECT SLEEP(0.3)`',
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(`${root}test/.shutdown-`)
})
afterAll(() => rm(folder, { recursive: true }))

test.each(recipes.map((code) => [adapterOf(code), code] as const))(
  '%s: SIGTERM while connections wait for permits: every query has its answer, and the process exits with 0',
  async (adapter, code) => {
    const path = `${folder}/${adapter}-${recipes.indexOf(code)}.mjs`
    const configured = code
      .replace('createAuroraIam()', 'createAuroraIam(completed)')
      .replace('auroraIam({ host, user, database })', 'auroraIam({ host, user, database }, completed)')
      .replace('./generated/prisma/client.ts', `${root}test/prisma/generated/cjs/index.js`)
    await writeFile(path, `${PRELUDE}${configured}${QUERIES[adapter]}${EPILOGUE}`)
    const { hostname, host, port, region, ca, credentials } = aurora
    const settings = { hostname, port, region, ca, credentials, dial: { host, port } }
    const program = spawn(process.execPath, [path], {
      env: { ...process.env, AURORA_SETTINGS: JSON.stringify({ hostname, settings }) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    program.stdout.on('data', (text) => {
      output += text
      if (String(text).includes('waiting')) program.kill('SIGTERM')
    })
    const [status] = await once(program, 'close')
    expect([status, output]).toEqual([
      0,
      expect.stringMatching(/^waiting\n.*answered .*(?:ERR_AURORA_IAM_CLOSED|aborted)/s),
    ])
  },
)

test('the page: a recipe for each adapter', () => {
  expect(new Set(recipes.map(adapterOf))).toEqual(new Set(Object.keys(QUERIES)))
})

function adapterOf(code: string): string {
  return /'@aurora-iam\/(\w+)'/.exec(code)?.[1] ?? 'none'
}
