// Brings a machine that has Node and npm to the point where everything here runs: the packages, the build, and the
// database server that the demo and the tests stand on. Does nothing that is done already.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

// Debian's and Ubuntu's package for each program that is needed from outside npm.
const PROGRAMS = [
  {
    names: ['mariadbd', 'mysqld'],
    debian: 'mariadb-server-core',
    for: 'the database behind Local Aurora',
    isNeeded: !process.env.AURORA_IAM_BACKEND,
  },
  {
    names: ['mariadb'],
    debian: 'mariadb-client-core',
    for: 'the tests with foreign clients',
    isNeeded: process.argv.includes('--tests'),
  },
  {
    names: ['redis-server'],
    debian: 'redis-server',
    for: 'the tests of fleets',
    isNeeded: process.argv.includes('--tests'),
  },
  {
    names: ['aws'],
    debian: 'awscli',
    for: 'the tests with foreign clients',
    isNeeded: process.argv.includes('--tests'),
  },
]

function step(what, run) {
  const startedAt = Date.now()
  process.stdout.write(`setup: ${what} …\n`)
  run()
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
  process.stdout.write(`setup: ${what}: done in ${seconds} s\n`)
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) fail(`\`${command} ${args.join(' ')}\` ended with status ${status}.`)
}

function fail(why) {
  process.stderr.write(`\nsetup: ${why}\n`)
  process.exit(1)
}

// Servers live in sbin, which is not on everybody's PATH.
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/local/sbin:/usr/sbin` }

function works(name) {
  return spawnSync(name, ['--version'], { env, stdio: 'ignore' }).status === 0
}

function installPrograms() {
  const missing = PROGRAMS.filter(({ names, isNeeded }) => isNeeded && !names.some(works))
  if (missing.length === 0) return
  const packages = missing.map(({ debian }) => debian)
  const wanted = missing.map((program) => `${program.names[0]} (${program.for})`).join(', ')
  const remedy =
    `Missing: ${wanted}. Install it yourself (Debian: apt-get install ${packages.join(' ')}; macOS: brew install mariadb redis awscli), ` +
    'or for the database give one that runs already: AURORA_IAM_BACKEND=mysql://user:password@host:port'
  if (!works('apt-get')) fail(remedy)
  const isRoot = process.getuid?.() === 0
  if (!isRoot && !works('sudo')) fail(remedy)
  const [command, ...prefix] = isRoot ? ['apt-get'] : ['sudo', 'apt-get']
  const apt = (...args) => run(command, [...prefix, ...args])
  step(`install ${packages.join(', ')}`, () => {
    apt('update', '-qq')
    process.env.DEBIAN_FRONTEND = 'noninteractive'
    apt('install', '-y', '-qq', '--no-install-recommends', ...packages)
  })
}

function installDependencies() {
  const installed = join(root, 'node_modules/.pnpm/lock.yaml')
  const lock = join(root, 'pnpm-lock.yaml')
  if (existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(lock, 'utf8')) return
  step('install the dependencies', () =>
    run('npx', ['--yes', packageManager, 'install', '--frozen-lockfile']),
  )
}

installPrograms()
installDependencies()
step('generate the Prisma clients', () => run(process.execPath, ['scripts/generate.mjs']))
step('build', () => run(join(root, 'node_modules/.bin/tsc'), ['-b']))
