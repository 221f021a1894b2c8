// Brings a machine that has Node and npm to the point where the demo runs, or the tests with `--tests`: installs the
// programs and packages that are missing, generates, and builds. Skips what is done already.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const isForTests = process.argv.includes('--tests')
const needsPrivateDatabase = !process.env.AURORA_IAM_BACKEND

// Each program that is needed from outside npm, with its package in Debian and Ubuntu.
const PROGRAMS = [
  {
    names: ['mariadbd', 'mysqld'],
    debian: 'mariadb-server-core',
    reason: 'the database behind Local Aurora',
    isNeeded: needsPrivateDatabase,
  },
  {
    names: ['mariadb-install-db', 'mysql_install_db'],
    debian: 'mariadb-server-core',
    reason: 'makes that database',
    isNeeded: needsPrivateDatabase,
  },
  {
    names: ['my_print_defaults'],
    debian: 'mariadb-client-core',
    reason: 'mariadb-install-db runs it',
    isNeeded: needsPrivateDatabase,
  },
  {
    names: ['mariadb'],
    debian: 'mariadb-client-core',
    reason: 'the tests with foreign clients',
    isNeeded: isForTests,
  },
  {
    names: ['redis-server'],
    debian: 'redis-server',
    reason: 'the tests of fleets',
    isNeeded: isForTests,
  },
  {
    names: ['mariadb-dump'],
    debian: 'mariadb-client',
    reason: 'the tests of aurora-iam exec',
    isNeeded: isForTests,
  },
  // Two implementations of the protocol from outside Node.
  {
    names: ['php'],
    debian: 'php-cli',
    reason: 'the tests of aurora-iam exec',
    isNeeded: isForTests,
  },
  {
    names: ['mysqli and pdo_mysql for php'],
    proof: ['php', '-r', 'exit(extension_loaded("mysqli") && extension_loaded("pdo_mysql") ? 0 : 1);'],
    debian: 'php-mysql',
    reason: 'the tests of aurora-iam exec',
    isNeeded: isForTests,
  },
  {
    names: ['pymysql for python3'],
    proof: ['/usr/bin/python3', '-c', 'import pymysql'],
    debian: 'python3-pymysql',
    reason: 'the tests of aurora-iam exec',
    isNeeded: isForTests,
  },
  {
    names: ['aws'],
    debian: 'awscli',
    reason: 'the tests with foreign clients',
    isNeeded: isForTests,
  },
]

function step(what, run) {
  const startedAt = Date.now()
  process.stdout.write(`setup: ${what} …\n`)
  run()
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
  process.stdout.write(`setup: ${what}: done in ${seconds} s\n`)
}

function run(command, ...args) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) fail(`\`${[command, ...args].join(' ')}\` ended with ${signal ?? `status ${status}`}.`)
}

function fail(why) {
  process.stderr.write(`\nsetup: ${why}\n`)
  process.exit(1)
}

// Servers are in sbin, which is not on the PATH of every user.
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']

function isInstalled(name) {
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Returns whether a program or library is installed. `proof` is a command that fails without the library. */
function isThere({ names, proof }) {
  if (proof === undefined) return names.some(isInstalled)
  const [command, ...args] = proof
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

function installPrograms() {
  const missing = PROGRAMS.filter((program) => program.isNeeded && !isThere(program))
  if (missing.length === 0) return
  const packages = [...new Set(missing.map(({ debian }) => debian))]
  process.stdout.write('setup: programs that this machine lacks:\n')
  for (const { names, debian, reason } of missing) {
    process.stdout.write(`setup:   ${names[0]} (${reason}), in the package ${debian}\n`)
  }
  const install = `apt-get install -y --no-install-recommends ${packages.join(' ')}`
  const otherwise = needsPrivateDatabase
    ? '\nIn place of the database, name one that runs: AURORA_IAM_BACKEND=mysql://user:password@host:port'
    : ''
  if (!isInstalled('apt-get')) {
    fail(
      `Install these programs (macOS: brew install mariadb redis awscli php, and for python3
/usr/bin/python3 -m pip install --user pymysql), then run this command again.${otherwise}`,
    )
  }
  const isRoot = process.getuid?.() === 0
  const askRoot = (why) =>
    fail(
      `${why} Run this line as root, then this command again:\n\n    apt-get update && ${install}\n${otherwise}`,
    )
  if (!isRoot && !isInstalled('sudo')) askRoot('Installing them needs root, and there is no sudo.')
  const prefix = isRoot ? [] : ['sudo']
  process.stdout.write(`setup: installs them now by: ${[...prefix, install].join(' ')}\n`)
  const apt = (...args) => {
    const command = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args]
    if (isRoot) return run(...command)
    // sudo may refuse, permit other commands alone, or ask for a password that is not there.
    const { status } = spawnSync(command[0], command.slice(1), { stdio: 'inherit' })
    if (status !== 0) askRoot(`Installing them needs root, and \`${command.join(' ')}\` failed.`)
  }
  step(`install ${packages.join(', ')}`, () => {
    apt('update', '-qq')
    apt('install', '-y', '-qq', '--no-install-recommends', ...packages)
  })
}

function installDependencies() {
  const installed = join(root, 'node_modules/.pnpm/lock.yaml')
  const lock = join(root, 'pnpm-lock.yaml')
  if (existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(lock, 'utf8')) return
  step('install the dependencies', () => run('npx', '--yes', packageManager, 'install', '--frozen-lockfile'))
}

installPrograms()
installDependencies()
step('generate the Prisma clients', () => run(process.execPath, 'scripts/generate.mjs'))
step('build', () => run(join(root, 'node_modules/.bin/tsc'), '-b'))
