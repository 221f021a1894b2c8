// Proves that a machine with nothing but Node and npm can run the demo and prepare the tests: makes a minimal Debian in
// a temporary folder, clones the committed tree there, and runs both commands as root, as a user with sudo, as one
// without, and as one whom sudo refuses. The last two get the line that root has to run. The home and the TMPDIR of one
// of them have blanks and quotes. Needs root, debootstrap and some minutes. The Debian and the downloads of npm are
// kept for the next run.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = dirname(dirname(fileURLToPath(import.meta.url)))
const cache = join(realpathSync(tmpdir()), 'aurora-iam-bare-machine')
const base = join(cache, 'debian')
const machine = join(cache, 'machine')
const downloads = join(cache, 'downloads')

const SUITE = 'bookworm'
const ROOT = { name: 'root', id: 0, home: '/root', title: 'root' }
const DEVELOPER = { name: 'dev', id: 1000, home: '/home/dev', hasSudo: true, title: 'a user with sudo' }
const GUEST = {
  name: 'guest',
  id: 1001,
  home: "/home/g' uest",
  temporary: `/home/g' uest/-tmp "100%"`,
  title: 'a user without sudo',
}
const STRANGER = {
  name: 'stranger',
  id: 1002,
  home: '/home/stranger',
  isRefusedBySudo: true,
  title: 'a user whom sudo refuses',
}

const USERS = [ROOT, DEVELOPER, GUEST, STRANGER]

// A build may need a proxy, and an authority of the company's, to reach the registries.
const FROM_ENVIRONMENT = /^(https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i
const NPM_SETTINGS = /^(cafile|strict-ssl|proxy|https-proxy|noproxy|registry|@.+:registry)$/

const say = (text) => process.stdout.write(`bare machine: ${text}\n`)

function fail(why) {
  process.stderr.write(`\nbare machine: ${why}\n`)
  process.exit(1)
}

function run(command, args, options = {}) {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    stdio: ['ignore', options.capture ? 'pipe' : 'inherit', options.mustFail ? 'pipe' : 'inherit'],
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    ...options,
  })
  if (error) fail(`cannot run ${command}: ${error.message}`)
  const isAsExpected = options.mustFail ? status === 1 : status === 0
  if (!isAsExpected) fail(`\`${command} ${args.join(' ')}\` ended with ${signal ?? `status ${status}`}`)
  return options.mustFail ? stderr : stdout
}

/** Runs a command in the machine, in namespaces that take its processes and mounts with them. */
function inMachine(user, script, options = {}) {
  const enter = `
    mount --make-rprivate /
    mount --bind "$1" "$1"
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    mkdir -p "$1/downloads" && mount --bind "$2" "$1/downloads"
    exec chroot --userspec="$3" "$1" /usr/bin/env -i HOME="$4" "\${@:6}" /bin/sh -c "$5"`
  const environment = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    USER: user.name,
    LANG: 'C.UTF-8',
    ...(user.temporary && { TMPDIR: user.temporary }),
    npm_config_cache: `/downloads/${user.name}/npm`,
    npm_config_store_dir: `/downloads/${user.name}/pnpm`,
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => FROM_ENVIRONMENT.test(name))),
  }
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  const enterArgs = [machine, downloads, `${user.id}:${user.id}`, user.home, script, ...settings]
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child']
  return run('unshare', [...namespaces, '/bin/bash', '-ec', enter, 'enter', ...enterArgs], options)
}

/** Returns the first address that this machine's apt reads packages of the suite from. */
function debianMirror() {
  const lines = run(
    'apt-get',
    ['indextargets', '--format', '$(REPO_URI) $(RELEASE)', 'Created-By: Packages'],
    {
      capture: true,
    },
  )
  const line = lines.split('\n').find((candidate) => candidate.endsWith(` ${SUITE}`))
  return line === undefined ? [] : [line.split(' ')[0]]
}

function makeDebian() {
  if (existsSync(base)) return say(`uses the Debian of an earlier run: ${base}`)
  say('makes a minimal Debian, which is kept for the next run …')
  const unfinished = `${base}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  run('debootstrap', ['--variant=minbase', '--include=sudo', SUITE, unfinished, ...debianMirror()], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  renameSync(unfinished, base)
}

/** Copies a file or folder of this machine to the same path in the other one. */
function bring(path) {
  if (!existsSync(path)) return
  mkdirSync(dirname(join(machine, path)), { recursive: true })
  rmSync(join(machine, path), { recursive: true, force: true })
  cpSync(path, join(machine, path), { recursive: true, dereference: true })
}

/** Lets apt and npm reach what they reach on this machine, in the same way. */
function bringNetworkSettings(user) {
  for (const path of ['/etc/resolv.conf', '/etc/hosts', '/etc/apt/sources.list', '/etc/apt/sources.list.d'])
    bring(path)
  for (const path of ['/etc/apt/apt.conf.d', '/etc/apt/trusted.gpg.d', '/usr/share/keyrings']) bring(path)
  const settings = Object.entries(
    JSON.parse(run('npm', ['config', 'list', '--json'], { capture: true, cwd: '/' })),
  )
    .filter(([name, value]) => NPM_SETTINGS.test(name) && value !== null && value !== '')
    .map(([name, value]) => ({ name, value }))
  const certificates = settings.find(({ name }) => name === 'cafile')?.value
  for (const file of [certificates, process.env.NODE_EXTRA_CA_CERTS, process.env.SSL_CERT_FILE]) {
    if (file) bring(file)
  }
  const text = settings.map(({ name, value }) => `${name}=${value}\n`).join('')
  writeFileSync(join(machine, user.home, '.npmrc'), text)
}

function bringNode() {
  const node = realpathSync(process.execPath)
  const npm = dirname(dirname(realpathSync(run('sh', ['-c', 'command -v npm'], { capture: true }).trim())))
  cpSync(node, join(machine, 'usr/bin/node'))
  chmodSync(join(machine, 'usr/bin/node'), 0o755)
  cpSync(npm, join(machine, 'usr/lib/node_modules/npm'), { recursive: true, dereference: true })
  inMachine(
    ROOT,
    'ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/bin/npm; ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/bin/npx',
  )
}

function makeMachine(user) {
  rmSync(machine, { recursive: true, force: true })
  run('cp', ['-a', '--reflink=auto', base, machine])
  for (const folder of [user.home, ...(user.temporary ? [user.temporary] : [])]) {
    mkdirSync(join(machine, folder), { recursive: true })
  }
  if (user !== ROOT) inMachine(ROOT, `useradd --uid ${user.id} ${user.name}`)
  if (user.hasSudo) {
    writeFileSync(join(machine, 'etc/sudoers.d', user.name), `${user.name} ALL=(ALL) NOPASSWD: ALL\n`)
  } else if (!user.isRefusedBySudo) inMachine(ROOT, 'SUDO_FORCE_REMOVE=yes dpkg --purge sudo')
  bringNode()
  bringNetworkSettings(user)
  const home = join(downloads, user.name)
  mkdirSync(home, { recursive: true })
  run('git', ['clone', '--quiet', '--no-hardlinks', repository, join(machine, user.home, 'aurora-iam')])
  run('chown', ['-R', `${user.id}:${user.id}`, join(machine, user.home), home])
}

const packagesOf = () =>
  new Set(inMachine(ROOT, 'dpkg --get-selections', { capture: true }).match(/^[^:\s]+/gm))

/** Runs, as root, the line that the command ends with for a user who may not install packages. */
function installAsTold(user, command) {
  const words = inMachine(user, `cd ~/aurora-iam && ${command}`, { mustFail: true })
  const [line] = /^ {4}apt-get update && apt-get install .+$/m.exec(words) ?? []
  if (line === undefined) fail(`${user.name}: ${command}: names no line to run as root:\n${words}`)
  say(`${user.name}: ${command}: says to run, as root:${line.slice(3)}`)
  inMachine(ROOT, `DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; ${line}`)
}

function check(user, command) {
  const before = packagesOf()
  say(`${user.name}: ${command}`)
  if (user !== ROOT && !user.hasSudo) installAsTold(user, command)
  inMachine(user, `cd ~/aurora-iam && ${command}`)
  const added = [...packagesOf()].filter((name) => !before.has(name))
  say(
    `${user.name}: ${command}: passed; it installed ${added.length === 0 ? 'no package' : added.join(', ')}`,
  )
}

if (process.getuid?.() !== 0) fail('needs root, to make a Debian in a folder and to enter it')
for (const program of ['debootstrap', 'unshare', 'git']) {
  if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) {
    fail(`needs ${program}; run: apt-get install debootstrap util-linux git`)
  }
}
if (run('git', ['-C', repository, 'status', '--porcelain'], { capture: true }).trim() !== '') {
  say('checks the committed tree; what is not committed is left out')
}
const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
say(`aurora-iam ${version}, Node ${process.version}, Debian ${SUITE}, cache ${cache}`)
mkdirSync(downloads, { recursive: true })
makeDebian()
for (const user of USERS) {
  makeMachine(user)
  check(user, 'npm run demo')
  check(user, 'node scripts/setup.mjs --tests')
}
rmSync(machine, { recursive: true, force: true })
say(`both commands work for ${USERS.map(({ title }) => title).join(', ')}`)
