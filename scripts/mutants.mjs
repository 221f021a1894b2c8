// Mutation testing: changes the sources in small ways, and lists the changes that no test notices. Each change is
// judged by the tests that are nearest to its room (scripts/mutants-rooms.mjs). It takes hours for all rooms. Each room
// has its results in `reports/mutants`, so that a run that was stopped goes on with the room in which it was. A file
// that has not changed, nor its tests, is read from there.
//
// `npm run test:mutants -- core/tls` runs one room, `-- core/tls/greeting-guard` one file, and
// `-- core/tls/greeting-guard:12-20` these lines of it; names joined by a comma run together. `core/src` holds the
// files that stand in no folder. `--wide` judges what survived again, by all tests of the package and those with its
// driver and a real server. `--static` adds the mutants of what a file computes when it is loaded, each of which runs
// all of its tests. `MUTANTS_AT_ONCE` is the number of processes, 2 without it.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LEFT_OUT, ROOMS } from './mutants-rooms.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const rooms = Object.keys(ROOMS)
const files = rooms.flatMap(filesOf)

const args = process.argv.slice(2)
const isStatic = args.includes('--static')
const isWide = args.includes('--wide')
const wanted = args.filter((arg) => !arg.startsWith('--'))
const runs = wanted.length > 0 ? wanted : rooms
const unknown = runs.flatMap(partsOf).find((part) => sourcesOf(part).length === 0)
if (unknown !== undefined) {
  process.stderr.write(`mutants: no room or file ${unknown}. Rooms: ${rooms.join(', ')}\n`)
  process.exit(1)
}

const startedAt = Date.now()
for (const [index, run] of runs.entries()) {
  const minutes = Math.round((Date.now() - startedAt) / 60_000)
  process.stdout.write(`\nmutants: ${run}, ${index + 1} of ${runs.length}, after ${minutes} min\n`)
  const parts = partsOf(run)
  const report = join(root, 'reports/mutants', run.replaceAll(/[:,]/g, '+'))
  mkdirSync(dirname(report), { recursive: true })
  const nearest = [...new Set(parts.flatMap((part) => ROOMS[roomOf(part)]))]
  const packageName = run.split('/')[0]
  if (!mutate(packageName, report, parts.flatMap(sourcesOf), nearest)) process.exitCode = 1
  const survivors = mutantsIn(report).filter(isLeft)
  if (isWide && survivors.length > 0) {
    const places = new Set(survivors.map(placeOf))
    if (!mutate(packageName, `${report}.wide`, [...places])) process.exitCode = 1
  }
  if (existsSync(`${report}.json`)) summarize(run, report)
}

/** Returns the files of a room, as `room/name`. */
function filesOf(room) {
  return readdirSync(join(root, folderOf(room)))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${room}/${file.slice(0, -3)}`)
    .filter((file) => !LEFT_OUT.includes(file))
}

/** Returns the folder of a room. `core/src` is the room of the files that stand directly in `src`. */
function folderOf(room) {
  const [name, folder] = room.split('/')
  return folder === 'src' ? `packages/${name}/src` : `packages/${name}/src/${folder}`
}

function roomOf(part) {
  return part.split('/', 2).join('/')
}

function partsOf(run) {
  return run.split(',')
}

/** Returns the sources of a room, of a file, or of lines of a file, as Stryker names them. */
function sourcesOf(part) {
  const [name, lines] = part.split(':')
  return files
    .filter((file) => file === name || file.startsWith(`${name}/`))
    .map((file) => {
      const room = roomOf(file)
      return `${folderOf(room)}${file.slice(room.length)}.ts${lines === undefined ? '' : `:${lines}`}`
    })
}

function mutate(packageName, report, sources, nearest) {
  const { status } = spawnSync(
    join(root, 'node_modules/.bin/stryker'),
    ['run', '--mutate', sources.join(','), '--incrementalFile', `${report}.json`],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        MUTANTS_PACKAGE: packageName,
        MUTANTS_REPORT: report,
        ...(nearest && { MUTANTS_TESTS: nearest.join(' ') }),
        ...(isStatic && { MUTANTS_STATIC: '1' }),
      },
    },
  )
  return status === 0
}

function mutantsIn(report) {
  if (!existsSync(`${report}.json`)) return []
  const { files: reported } = JSON.parse(readFileSync(`${report}.json`, 'utf8'))
  return Object.entries(reported).flatMap(([path, { source, mutants }]) =>
    mutants
      .filter(({ status }) => status !== 'Ignored')
      .map((mutant) => ({
        ...mutant,
        path,
        line: source.split('\n')[mutant.location.start.line - 1].trim(),
      })),
  )
}

function isLeft({ status }) {
  return status === 'Survived' || status === 'NoCoverage'
}

/** Returns the place of a mutant, as a source for Stryker. Columns begin with 1 in a report, and with 0 in a source. */
function placeOf({ path, location: { start, end } }) {
  const [from, to] = [start, end].map(({ line, column }) => `${line}:${column - 1}`)
  return `${path}:${from}-${to}`
}

/** Writes the survivors of a run, one a line, and prints them with the share that was noticed. */
function summarize(run, report) {
  const idOf = (mutant) => `${placeOf(mutant)} ${mutant.replacement} ${mutant.line}`
  const noticedByOthers = new Set(
    mutantsIn(`${report}.wide`)
      .filter((mutant) => !isLeft(mutant))
      .map(idOf),
  )
  const judged = mutantsIn(report)
  const left = judged.filter((mutant) => isLeft(mutant) && !noticedByOthers.has(idOf(mutant)))
  const lines = left.map(({ path, line, location: { start }, mutatorName, replacement = '', status }) =>
    [
      `${path}:${start.line}:${start.column}`,
      status,
      mutatorName,
      replacement.replaceAll(/\s+/g, ' ').slice(0, 80),
      line,
    ].join(' | '),
  )
  writeFileSync(`${report}.txt`, lines.map((line) => `${line}\n`).join(''))
  for (const line of lines) process.stdout.write(`${line}\n`)
  process.stdout.write(`mutants: ${run}: ${judged.length - left.length} of ${judged.length} noticed\n`)
}
