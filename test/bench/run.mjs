// `npm run bench`: measures, prints tables, writes the results and draws the charts. See README.md in this folder.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Results } from './core/results.mjs'

const PARTS = [
  'steps',
  'connect',
  'queries',
  'cold-start',
  'bundle',
  'cold-connects',
  'storm',
  'rotation',
  'growth',
  'memory',
  'fleet',
  'fleet-cold-starts',
]
// Measured when they are asked for by name: they need valgrind, and take long.
const BY_NAME = ['instructions', 'start-instructions']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    'skip-install': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const unknown = positionals.filter((part) => ![...PARTS, ...BY_NAME].includes(part))
if (values.help || unknown.length > 0) {
  console.log(`Usage: npm run bench -- [--quick] [--resume] [PART…]

  --quick   less than 3 minutes: fewer blocks and smaller fleets
  --resume  leave out the parts that this commit has measured already
  PART      ${PARTS.join(', ')};
            by name alone, with valgrind installed: ${BY_NAME.join(', ')}`)
  process.exit(unknown.length > 0 ? 1 : 0)
}

const folder = fileURLToPath(new URL('.', import.meta.url))
if (!values['skip-install']) installPeers()
const { quick } = values
const results = new Results(quick ? 'quick' : 'full')
const chosen = positionals.length > 0 ? positionals : PARTS
const startedAt = performance.now()
const failures = []

for (const name of chosen) {
  const part = await import(`./parts/${name}.mjs`)
  const known = values.resume ? results.of(name) : undefined
  if (known === undefined) {
    progress(part.title, 'begins')
    try {
      results.save(name, await part.run({ quick, progress: (text) => progress(part.title, text) }))
    } catch (error) {
      // The other parts are worth having.
      failures.push(name)
      console.error(`\nbench: ${name} failed:`, error)
      continue
    }
  }
  part.print(results.parts[name])
}

const { drawCharts } = await import('./peers/charts.mjs')
// The charts of a quick run are not those that the docs show.
const charts = quick ? `${folder}results/quick` : `${folder}../../docs/bench`
for (const file of drawCharts(results.parts, charts)) console.log(`chart: ${file}`)
console.log(`\nbench: done in ${seconds()} s${failures.length > 0 ? `, without ${failures.join(', ')}` : ''}`)
process.exit(failures.length > 0 ? 1 : 0)

function progress(title, text) {
  process.stderr.write(`bench: ${seconds()} s  ${title}: ${text}\n`)
}

function seconds() {
  return Math.round((performance.now() - startedAt) / 1_000)
}

function installPeers() {
  const { packageManager } = JSON.parse(readFileSync(`${folder}../../package.json`, 'utf8'))
  const { status } = spawnSync(
    'npx',
    [
      '--yes',
      packageManager,
      'install',
      '--ignore-workspace',
      '--frozen-lockfile',
      '--prefer-offline',
      '--silent',
    ],
    { cwd: `${folder}peers`, stdio: 'inherit' },
  )
  if (status !== 0) throw new Error('The peers were not installed. See the messages above.')
}
