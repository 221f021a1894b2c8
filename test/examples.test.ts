import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const EXAMPLES = new URL('../examples/', import.meta.url)

// What each example prints, to the letter.
const OUTPUT: Readonly<Record<string, readonly string[]>> = {
  drizzle: ['logged in as app@%', 'Ada has 100', 'Grace has 250', 'connections: 1, tokens: 1'],
  fastify: [
    'GET /live: 200 {"status":"ok"}',
    'GET /ready: 200 {"status":"ready"}',
    'GET /accounts: 200 [{"owner":"Ada","balance":100},{"owner":"Grace","balance":250}]',
    'GET /ready: 503 {"status":"not ready","code":"ER_ACCESS_DENIED_ERROR"}',
    'closed',
  ],
  fleet: [
    'processes that ended well: 4',
    'connections: 40, refused: 0',
    'never more than 20 in a second: true',
  ],
  knex: [
    'applied 001-account, 002-currency',
    'Ada has 100 EUR',
    'Grace has 250 EUR',
    'applied after the rollback: 0',
  ],
  kysely: ['logged in as app@%', 'Ada has 100', 'Grace has 250', 'connections: 1, tokens: 1'],
  lambda: [1, 2, 3].map(
    (request) => `request ${request} { user: 'app@%', tokensSigned: 1, connectionsOpened: 1 }`,
  ),
  'mikro-orm': ['logged in as app@%', 'Ada has 100', 'Grace has 250', 'connections: 1, tokens: 1'],
  mysql2: ['logged in as app@%', 'Ada has 100', 'Grace has 250', 'connections: 1, tokens: 1'],
  nestjs: ['logged in as app, by IAM token', 'Ann has 70', 'Ben has 80', 'tokens, one for each endpoint: 2'],
  objection: ['logged in as app@%', 'Ada has 50', 'Grace has 50', 'connections: 1, tokens: 1'],
  opentelemetry: [
    'GET /orders',
    '  aurora-iam token',
    '  aurora-iam permit',
    '  aurora-iam permit',
    '  aurora-iam login',
    '  aurora-iam login',
    'aurora-iam permit',
    'aurora-iam login',
    'GET /invoices',
    '  aurora-iam token',
    '  aurora-iam permit',
    '  aurora-iam login: ER_ACCESS_DENIED_ERROR',
    'db.client.connection.create_time: 3',
    'aurora_iam.permit.wait_time: 4',
    'aurora_iam.tokens: 2',
    'aurora_iam.refusals: 1',
    'db.client.connection.count: 1',
    'db.client.connection.pending_requests: 0',
    'aurora_iam.pool.generation: 1',
    'aurora_iam.pool.retired (lifetime): 0',
    'aurora_iam.pool.retired (moved): 0',
    'aurora_iam.pool.retired (read-only): 2',
    'aurora_iam.pool.retired (dead): 0',
    'aurora_iam.pool.replaced: 1',
  ],
  prisma: [
    'Alice has 100 (sent 0), Bob has 50 (sent 0)',
    'Alice has 70 (sent 1), Bob has 80 (sent 0)',
    'Refused, and rolled back: Bob has no 500 to send',
    'Alice has 70 (sent 1), Bob has 80 (sent 0)',
    'Connections: 1, tokens signed: 1, failed: 0',
  ],
  sessions: ["session: [ 'book' ]", 'signed in: Ada', 'tokens: 1, refused: 0'],
  sequelize: ['logged in as app@%', 'Ada has 100', 'Grace has 250', 'connections: 2, tokens: 1'],
  vitest: [
    'passed: a new order: it is stored',
    'passed: twenty minutes later: the next connection has another token',
    'passed: a role that may not log in: its error reaches the service',
  ],
}

// The demo and the manifests of deploy have separate tests.
const examples = readFolders().filter((name) => !['demo', 'deploy'].includes(name))

test('each example: its output is listed here', () => {
  expect(Object.keys(OUTPUT).sort()).toEqual(examples.sort())
})

test('the README of the examples: it names each of them', () => {
  const named = [
    ...readFileSync(new URL('README.md', EXAMPLES), 'utf8').matchAll(/^\| \[[\w-]+\]\(([\w-]+)\)/gm),
  ]
  expect(named.map(([, name]) => name).sort()).toEqual(readFolders().sort())
})

test.for(examples)('the example %s: prints the expected output, and exits', async (name, { skip }) => {
  const needed = missingNode(name)
  if (needed) {
    process.stdout.write(
      `\nThe example ${name} is left out: it needs Node ${needed}, this is ${process.version}.\n`,
    )
    skip(`needs Node ${needed}`)
  }
  expect(await run(name)).toEqual({ status: 0, stderr: '', lines: OUTPUT[name] })
})

function readFolders(): string[] {
  const entries = readdirSync(EXAMPLES, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

/**
 * Returns the versions of Node that an example needs, by the `engines` of its package.json, when this is none of them.
 */
function missingNode(name: string): string | undefined {
  const { engines } = JSON.parse(readFileSync(new URL(`${name}/package.json`, EXAMPLES), 'utf8'))
  if (!engines) return undefined
  const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node)?.map(Number) ?? []
  if (major === undefined || minor === undefined)
    throw new Error(`${name}: engines.node must be >=<major>.<minor>`)
  const [ourMajor = 0, ourMinor = 0] = process.versions.node.split('.').map(Number)
  return ourMajor > major || (ourMajor === major && ourMinor >= minor) ? undefined : engines.node
}

async function run(name: string) {
  const program = fileURLToPath(new URL(`${name}/dist/main.js`, EXAMPLES))
  // The database of an example is its own.
  const { AURORA_IAM_BACKEND: _, ...env } = process.env
  const example = spawn(process.execPath, [program], { env, timeout: 25_000 })
  const [stdout, stderr, [status]] = await Promise.all([
    text(example.stdout),
    text(example.stderr),
    once(example, 'close'),
  ])
  return { status, stderr, lines: stdout.trimEnd().split('\n') }
}
