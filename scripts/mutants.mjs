// Mutation testing: changes the sources in small ways, and lists the changes that no test of the package notices.
// It takes hours for all of them. Each room has a result file in `reports/mutants`, so that a run that was stopped goes
// on where it was: rooms whose sources and tests have not changed are read from it. `npm run test:mutants -- core/tls`
// runs one room.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The rooms by what a fault there costs: secrets first, then the limiter, then all else. */
const ROOMS = [
  'core/tls',
  'core/token',
  'local/iam',
  'rate-limit/queue',
  'rate-limit/local',
  'rate-limit/fleet',
  'core/credentials',
  'core/endpoint',
  'core/permit',
  'core/login',
  'mysql2/auth',
  'mysql2/connect',
  'mysql2/options',
  'prisma/connect',
  'prisma/options',
  'prisma/pool',
  'wire/codec',
  'wire/packets',
  'wire/client',
  'wire/relay',
]

const wanted = process.argv.slice(2)
const reports = join(root, 'reports/mutants')
mkdirSync(reports, { recursive: true })

for (const room of ROOMS.filter((name) => wanted.length === 0 || wanted.includes(name))) {
  const [name, folder] = room.split('/')
  const file = join(reports, `${name}-${folder}`)
  process.stdout.write(`\nmutants: ${room}\n`)
  const { status } = spawnSync(
    join(root, 'node_modules/.bin/stryker'),
    ['run', '--mutate', `packages/${name}/src/${folder}/**/*.ts`, '--incrementalFile', `${file}.json`],
    { cwd: root, stdio: 'inherit', env: { ...process.env, MUTANTS_PACKAGE: name, MUTANTS_REPORT: file } },
  )
  if (status !== 0) process.exitCode = 1
}
