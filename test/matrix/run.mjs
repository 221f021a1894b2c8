// Runs the compatibility matrix and writes docs/compatibility.md. Each cell is an empty project with the packed
// packages, one version of a library, and one runtime, against Local Aurora. Results are kept in reports/matrix, so
// that a run that was stopped goes on where it was.
//
//   npm run test:matrix                      every cell that has no result yet
//   npm run test:matrix -- Bun typeorm       the cells whose names contain all of these words
//   npm run test:matrix -- --fresh           forgets earlier results
//   npm run test:matrix -- --newest          what npm calls the latest of each library
import { execFile, spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startLocalAurora } from '@aurora-iam/local'
import { cells, packagesOf, RUNTIMES } from './cells.mjs'
import { writePage } from './page.mjs'

const run = promisify(execFile)
const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(dirname(here))
const reports = join(root, 'reports/matrix')
const projects = join(tmpdir(), 'aurora-iam-matrix')
const archives = join(projects, 'archives')
// The packages of this tree, packed once.
rmSync(archives, { recursive: true, force: true })
mkdirSync(projects, { recursive: true })

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const has = (flag) => process.argv.includes(flag)
if (has('--fresh')) for (const folder of [reports, projects]) rmSync(folder, { recursive: true, force: true })
mkdirSync(reports, { recursive: true })

const resultOf = (cell) => join(reports, `${cell.id}.json`)
const wanted = cells({ newest: has('--newest') }).filter(({ id }) =>
  words.every((word) => id.toLowerCase().includes(word.toLowerCase())),
)
const open = wanted.filter((cell) => !existsSync(resultOf(cell)))
process.stdout.write(`matrix: ${wanted.length} cells, ${open.length} to run\n`)

/** Installs the packages, the libraries and the runtime of a cell. */
async function install(cell, folder) {
  const runtime = RUNTIMES.find(({ name }) => name === cell.runtime)
  const given = { ...cell.install, [runtime.package]: runtime.version }
  const specifiers = Object.entries(given).map(([name, version]) => `${name}@${version}`)
  const env = { ...process.env, ARCHIVES: archives, PACKAGES: packagesOf(cell.probe).join(',') }
  await run(process.execPath, [join(root, 'test/installed/install.mjs'), folder, ...specifiers], { env })
  for (const file of ['probe.mjs', 'libraries.mjs']) copyFileSync(join(here, file), join(folder, file))
  if (cell.probe === 'prisma') await generatePrismaClient(folder)
}

async function generatePrismaClient(folder) {
  const schema = [
    'generator client {',
    '  provider = "prisma-client-js"',
    '}',
    'datasource db {',
    '  provider = "mysql"',
    '}',
  ]
  writeFileSync(join(folder, 'schema.prisma'), schema.join('\n'))
  // Prisma insists on having its engine for migrations, and does not start it here: any file will do.
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' }
  const command = [
    join(folder, 'node_modules/prisma/build/index.js'),
    'generate',
    '--no-hints',
    '--schema',
    'schema.prisma',
  ]
  await run(process.execPath, command, { cwd: folder, env })
}

/** Returns the command that runs the probe in the runtime of a cell. */
function commandOf(cell, folder) {
  const { package: name } = RUNTIMES.find((runtime) => runtime.name === cell.runtime)
  const program = join(folder, 'node_modules/.bin', name)
  const before = name === 'deno' ? ['run', '--allow-all'] : name === 'bun' ? ['run'] : []
  return [program, [...before, 'probe.mjs', cell.probe]]
}

async function probe(cell) {
  // A new folder: a run that was stopped may have left an installation that still writes.
  const folder = mkdtempSync(join(projects, `${cell.id}-`))
  try {
    await install(cell, folder)
    return await judge(cell, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs the program of a cell against Local Aurora. Returns the versions that ran. */
async function judge(cell, folder) {
  const versionOf = (name) =>
    JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version
  const [program, args] = commandOf(cell, folder)
  const aurora = await startLocalAurora({ throttle: false })
  try {
    const { hostname, host, port, region, ca, credentials, database } = aurora
    const settings = { hostname, host, port, region, ca, credentials, database }
    const env = { ...process.env, AURORA_SETTINGS: JSON.stringify(settings), REDIS_PORT: `${redis.port}` }
    const { stdout } = await run(program, args, { cwd: folder, env, timeout: 90_000 })
    const seen = JSON.parse(stdout.trim().split('\n').at(-1))
    if (aurora.log.refusals.length > 0)
      throw new Error(`Local Aurora refused: ${aurora.log.refusals[0].detail}`)
    if (aurora.log.logins.length < 2) throw new Error(`Local Aurora saw ${aurora.log.logins.length} logins`)
    const received = aurora.log.tokensReceived
    aurora.faults.set({ certificate: 'wrong-name' })
    await run(program, args, { cwd: folder, env: { ...env, EXPECT_REFUSAL: '1' }, timeout: 90_000 })
    if (aurora.log.tokensReceived !== received) throw new Error('a server with a wrong name got the token')
    return {
      runtime: seen.runtime,
      versions: Object.fromEntries(Object.keys(cell.install).map((n) => [n, versionOf(n)])),
    }
  } finally {
    await aurora.close()
  }
}

/** Starts a Redis for the cells that share a limit. Returns its port, and what ends it. */
async function startRedis() {
  const port = await new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address()
      server.close(() => resolve(free))
    })
  })
  const args = ['--port', `${port}`, '--save', '', '--bind', '127.0.0.1']
  const redis = spawn('redis-server', args, { stdio: 'ignore' })
  return { port, stop: () => redis.kill() }
}

/** Writes the page from every result so far. */
function write() {
  const results = cells({ newest: has('--newest') }).map((cell) => ({
    cell,
    result: existsSync(resultOf(cell)) ? JSON.parse(readFileSync(resultOf(cell), 'utf8')) : undefined,
  }))
  writePage(join(root, 'docs/compatibility.md'), results)
}

const redis = await startRedis()
let failed = 0
for (const [index, cell] of open.entries()) {
  process.stdout.write(`matrix: ${index + 1} of ${open.length}: ${cell.runtime}, ${cell.shown} … `)
  const startedAt = Date.now()
  // A cell that cannot run is a failure: it is never left out without a word.
  const outcome = await probe(cell).then(
    (seen) => ({ ok: true, ...seen }),
    (error) => ({ ok: false, reason: reasonOf(error) }),
  )
  if (!outcome.ok) failed++
  const at = new Date().toISOString().slice(0, 10)
  writeFileSync(resultOf(cell), JSON.stringify({ ...outcome, at }, null, 2))
  write()
  const seconds = Math.round((Date.now() - startedAt) / 1000)
  process.stdout.write(`${outcome.ok ? 'passed' : `FAILED\n${outcome.reason}`} (${seconds} s)\n`)
}
redis.stop()
rmSync(projects, { recursive: true, force: true })
write()
process.stdout.write(`matrix: ${failed} of ${open.length} failed; wrote docs/compatibility.md\n`)
if (failed > 0) process.exitCode = 1

/** Returns the last lines of what a cell ended with. */
function reasonOf(error) {
  return `${error.stderr || error.message}`.trim().split('\n').slice(-12).join('\n')
}
