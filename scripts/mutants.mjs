// Mutation testing: changes the sources in small ways, and lists the changes that no test notices. Each change is judged
// by the tests that are nearest to its room (scripts/mutants-rooms.mjs). It takes hours for all rooms. Each file has its
// results in `reports/mutants`, so that a run that was stopped goes on with the file in which it was. A file that has
// not changed, nor its tests, is read from there.
//
// `npm run test:mutants -- core/tls` runs one room, `-- core/tls/greeting-guard` one file. `--wide` judges what survived
// again, by all tests of the package and those with its driver and a real server. `--static` adds the mutants of what a
// file computes when it is loaded, each of which runs all of its tests.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROOMS } from './mutants-rooms.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const reports = join(root, 'reports/mutants')

const args = process.argv.slice(2)
const isStatic = args.includes('--static')
const isWide = args.includes('--wide')
const wanted = args.filter((arg) => arg !== '--static' && arg !== '--wide')
const all = Object.keys(ROOMS).flatMap(filesOf)
const unknown = wanted.find((name) => !all.some((file) => isIn(file, name)))
if (unknown !== undefined) {
  process.stderr.write(`mutants: no room or file ${unknown}. Rooms: ${Object.keys(ROOMS).join(', ')}\n`)
  process.exit(1)
}

const files = all.filter((file) => wanted.length === 0 || wanted.some((name) => isIn(file, name)))
const startedAt = Date.now()
for (const [index, file] of files.entries()) {
  const minutes = Math.round((Date.now() - startedAt) / 60_000)
  process.stdout.write(`\nmutants: ${file}, file ${index + 1} of ${files.length}, after ${minutes} min\n`)
  const report = join(reports, file)
  mkdirSync(dirname(report), { recursive: true })
  const [name, folder] = file.split('/')
  const nearest = { MUTANTS_TESTS: ROOMS[`${name}/${folder}`].join(' ') }
  if (!mutate(file, report, [sourceOf(file)], nearest)) process.exitCode = 1
  if (!existsSync(`${report}.json`)) continue
  const survivors = mutantsIn(report).filter(isLeft)
  if (isWide && survivors.length > 0) {
    const places = survivors.map(({ location: { start, end } }) =>
      // Columns begin with 1 in a report, and with 0 in a range.
      [start, end].map(({ line, column }) => `${line}:${column - 1}`).join('-'),
    )
    const ranges = [...new Set(places)].map((place) => `${sourceOf(file)}:${place}`)
    if (!mutate(file, `${report}.wide`, ranges, {})) process.exitCode = 1
  }
  summarize(file, report)
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

function sourceOf(file) {
  const [name, folder, base] = file.split('/')
  return `packages/${name}/src/${folder}/${base}.ts`
}

function mutate(file, report, sources, env) {
  const { status } = spawnSync(
    join(root, 'node_modules/.bin/stryker'),
    ['run', '--mutate', sources.join(','), '--incrementalFile', `${report}.json`],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        ...env,
        MUTANTS_PACKAGE: file.split('/')[0],
        MUTANTS_REPORT: report,
        ...(isStatic && { MUTANTS_STATIC: '1' }),
      },
    },
  )
  return status === 0
}

function mutantsIn(report) {
  if (!existsSync(`${report}.json`)) return []
  const { files: reported } = JSON.parse(readFileSync(`${report}.json`, 'utf8'))
  return Object.values(reported).flatMap(({ source, mutants }) =>
    mutants
      // Without --static, a mutant of what is computed at load time is not there when the tests run.
      .filter(({ status, static: atLoad }) => status !== 'Ignored' && (isStatic || !atLoad))
      .map((mutant) => ({ ...mutant, line: source.split('\n')[mutant.location.start.line - 1].trim() })),
  )
}

function isLeft({ status }) {
  return status === 'Survived' || status === 'NoCoverage'
}

/** Writes the survivors of a file, one a line, and prints them with the share that was noticed. */
function summarize(file, report) {
  const idOf = ({ location, replacement, line }) => JSON.stringify([location, replacement, line])
  const noticedLater = new Set(
    mutantsIn(`${report}.wide`)
      .filter((mutant) => !isLeft(mutant))
      .map(idOf),
  )
  const judged = mutantsIn(report)
  const left = judged.filter((mutant) => isLeft(mutant) && !noticedLater.has(idOf(mutant)))
  const lines = left.map(({ line, location: { start }, mutatorName, replacement = '', status }) =>
    [
      `${file}:${start.line}:${start.column}`,
      status,
      mutatorName,
      replacement.replaceAll(/\s+/g, ' ').slice(0, 80),
      line,
    ].join(' | '),
  )
  writeFileSync(`${report}.txt`, lines.map((line) => `${line}\n`).join(''))
  for (const line of lines) process.stdout.write(`${line}\n`)
  process.stdout.write(`mutants: ${file}: ${judged.length - left.length} of ${judged.length} noticed\n`)
}
