// Mutation testing: changes the sources in small ways, and lists the changes that no test notices. It takes hours for
// all rooms. Each file has its results in `reports/mutants`, so that a run that was stopped goes on with the file in
// which it was. A file that has not changed, nor its tests, is read from there.
//
// `npm run test:mutants -- core/tls` runs one room, `-- core/tls/greeting-guard` one file. `--static` adds the mutants
// of what a file computes when it is loaded, each of which runs every test of the package.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const reports = join(root, 'reports/mutants')

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
const all = ROOMS.flatMap(filesOf)
const unknown = wanted.find((name) => !all.some((file) => isIn(file, name)))
if (unknown !== undefined) {
  process.stderr.write(`mutants: no room or file ${unknown}. Rooms: ${ROOMS.join(', ')}\n`)
  process.exit(1)
}

const files = all.filter((file) => wanted.length === 0 || wanted.some((name) => isIn(file, name)))
const startedAt = Date.now()
for (const [index, file] of files.entries()) {
  const minutes = Math.round((Date.now() - startedAt) / 60_000)
  process.stdout.write(`\nmutants: ${file}, file ${index + 1} of ${files.length}, after ${minutes} min\n`)
  const report = join(reports, file)
  mkdirSync(dirname(report), { recursive: true })
  if (!mutate(file, report)) process.exitCode = 1
  if (existsSync(`${report}.json`)) summarize(file, report)
}

/** Returns the files of a room, as `room/name`. */
function filesOf(room) {
  const [name, folder] = room.split('/')
  return readdirSync(join(root, 'packages', name, 'src', folder))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${room}/${file.slice(0, -3)}`)
}

function isIn(file, name) {
  return file === name || file.startsWith(`${name}/`)
}

function mutate(file, report) {
  const [name, folder, base] = file.split('/')
  const { status } = spawnSync(
    join(root, 'node_modules/.bin/stryker'),
    ['run', '--mutate', `packages/${name}/src/${folder}/${base}.ts`, '--incrementalFile', `${report}.json`],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        MUTANTS_PACKAGE: name,
        MUTANTS_REPORT: report,
        ...(isStatic && { MUTANTS_STATIC: '1' }),
      },
    },
  )
  return status === 0
}

/** Writes the survivors of a file, one a line, and prints them with the share that was noticed. */
function summarize(file, report) {
  const { files: reported } = JSON.parse(readFileSync(`${report}.json`, 'utf8'))
  const judged = Object.values(reported).flatMap(({ source, mutants }) =>
    mutants
      // Without --static, a mutant of what is computed at load time is not there when the tests run.
      .filter(({ status, static: atLoad }) => status !== 'Ignored' && (isStatic || !atLoad))
      .map((mutant) => ({ ...mutant, lines: source.split('\n') })),
  )
  const left = judged.filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
  const lines = left.map(({ lines, location: { start }, mutatorName, replacement = '', status }) =>
    [
      `${file}:${start.line}:${start.column}`,
      status,
      mutatorName,
      replacement.replaceAll(/\s+/g, ' ').slice(0, 80),
      lines[start.line - 1].trim(),
    ].join(' | '),
  )
  writeFileSync(`${report}.txt`, lines.map((line) => `${line}\n`).join(''))
  for (const line of lines) process.stdout.write(`${line}\n`)
  process.stdout.write(`mutants: ${file}: ${judged.length - left.length} of ${judged.length} noticed\n`)
}
