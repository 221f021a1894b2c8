// Mutation testing: changes the sources in small ways, and lists the changes that no test notices. It takes hours for
// all rooms. Each room has a result file in `reports/mutants`, so that a run that was stopped goes on with the room in
// which it was: mutants whose source and tests have not changed are read from the file.
//
// `npm run test:mutants -- core/tls` runs one room. `--static` adds the mutants of what a file computes when it is
// loaded, each of which runs every test of the package.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The rooms by what a fault there costs: secrets first, then the limiter, then all else. */
const ROOMS = [
  'core/tls',
  'core/token',
  'core/credentials',
  'core/permit',
  'core/login',
  'core/endpoint',
  'rate-limit/queue',
  'rate-limit/local',
  'rate-limit/fleet',
  'rate-limit/tickets',
  'mysql2/connect',
  'mysql2/auth',
  'mysql2/options',
  'prisma/connect',
  'prisma/options',
  'prisma/pool',
  'local/iam',
  'wire/codec',
  'wire/packets',
  'wire/client',
  'wire/relay',
]

const args = process.argv.slice(2)
const isStatic = args.includes('--static')
const wanted = args.filter((arg) => arg !== '--static')
const unknown = wanted.find((room) => !ROOMS.includes(room))
if (unknown !== undefined) {
  process.stderr.write(`mutants: no room ${unknown}. Rooms: ${ROOMS.join(', ')}\n`)
  process.exit(1)
}

const reports = join(root, 'reports/mutants')
mkdirSync(reports, { recursive: true })

const rooms = wanted.length === 0 ? ROOMS : wanted
const startedAt = Date.now()
for (const [index, room] of rooms.entries()) {
  const minutes = Math.round((Date.now() - startedAt) / 60_000)
  process.stdout.write(`\nmutants: ${room}, room ${index + 1} of ${rooms.length}, after ${minutes} min\n`)
  const [name, folder] = room.split('/')
  const file = join(reports, `${name}-${folder}`)
  const { status } = spawnSync(
    join(root, 'node_modules/.bin/stryker'),
    ['run', '--mutate', `packages/${name}/src/${folder}/**/*.ts`, '--incrementalFile', `${file}.json`],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        MUTANTS_PACKAGE: name,
        MUTANTS_REPORT: file,
        ...(isStatic && { MUTANTS_STATIC: '1' }),
      },
    },
  )
  if (status !== 0) process.exitCode = 1
  if (existsSync(`${file}.json`)) summarize(room, file)
}

/** Writes the survivors of a room, one a line, and prints how many mutants were noticed. */
function summarize(room, file) {
  const { files } = JSON.parse(readFileSync(`${file}.json`, 'utf8'))
  const mutants = Object.entries(files).flatMap(([path, { source, mutants: all }]) =>
    all.map((mutant) => ({ path, lines: source.split('\n'), ...mutant })),
  )
  const judged = mutants.filter(({ status }) => !['Ignored', 'CompileError'].includes(status))
  const left = judged.filter(({ status }) => ['Survived', 'NoCoverage'].includes(status))
  const lines = left.map(({ path, lines, location: { start }, mutatorName, replacement, status }) =>
    [
      `${path}:${start.line}:${start.column}`,
      status,
      mutatorName,
      (replacement ?? '').replaceAll(/\s+/g, ' ').slice(0, 80),
      lines[start.line - 1].trim(),
    ].join(' | '),
  )
  writeFileSync(`${file}.txt`, `${lines.join('\n')}\n`)
  const share = Math.round(((judged.length - left.length) / judged.length) * 100)
  process.stdout.write(
    `mutants: ${room}: ${share} % of ${judged.length} noticed, ${left.length} left in ${file}.txt\n`,
  )
}
