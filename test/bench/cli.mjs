// The command line: the relay of `proxy` beside a plain TCP forward, the start-up of `--help`, and `plan` beside a real
// run. Prints ratios. By hand: node test/bench/cli.mjs [relay|start|plan]
import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { credentialsEnvironment, programPath, targetOptions } from '@aurora-iam/test-support/cli-program'
import { createConnection } from 'mysql2/promise'
import { coldStart } from '../fixtures/plan/real-fleet.mjs'

const parts = process.argv.length > 2 ? process.argv.slice(2) : ['relay', 'start', 'plan']
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

// A separate process, as a database is: its work is in no figure of the client.
const local = spawn(process.execPath, [programPath, 'local', '--throttle', '100000', '--json'])
const [first] = await once(local.stdout, 'data')
local.stdout.resume()
const { host, port, hostname, database, region, credentials, caFile } = JSON.parse(
  String(first).split('\n')[0],
)
const iam = {
  hostname,
  region,
  ca: readFileSync(caFile, 'utf8'),
  credentials: { ...credentials, expiration: undefined },
}
const environment = { ...process.env, ...credentialsEnvironment(credentials), AWS_REGION: region }

if (parts.includes('relay')) await relay()
if (parts.includes('start')) start()
if (parts.includes('plan')) await plan()
local.kill()
await once(local, 'close')

async function relay() {
  const target = targetOptions({ host, port, hostname }, caFile)
  const options = [...target, '--listen', '127.0.0.1:0', '--limit', '1000', '--json']
  const proxy = spawn(process.execPath, [programPath, 'proxy', ...options], { env: environment })
  const [line] = await once(proxy.stdout, 'data')
  const { address, password } = JSON.parse(String(line).split('\n')[0])
  proxy.stdout.resume()
  const forward = fork(fileURLToPath(new URL('tcp-forward.mjs', import.meta.url)), [String(port)])
  const [forwardPort] = await once(forward, 'message')

  const throughForward = { ...iam, rateLimit: false, port, dial: { host: '127.0.0.1', port: forwardPort } }
  const direct = { ...throughForward, dial: { host, port } }
  const contenders = {
    // The client does the TLS of its session, and the forward copies bytes.
    forward: {
      middle: forward,
      open: () => createConnection(withAuroraIam({ host, port, user: 'app', database }, throughForward)),
    },
    proxy: {
      middle: proxy,
      open: () =>
        createConnection({
          host: '127.0.0.1',
          port: Number(address.split(':')[1]),
          user: 'app',
          password,
          database,
        }),
    },
    direct: {
      middle: undefined,
      open: () => createConnection(withAuroraIam({ host, port, user: 'app', database }, direct)),
    },
  }
  const rows = 'SELECT REPEAT(CHAR(97 + seq % 26), 60000) AS x FROM seq_1_to_800'
  const loads = {
    'large results': { count: 1, units: 48, unit: 'MB/s', run: ([connection]) => drain(connection, rows) },
    'SELECT 1 over 16 connections': {
      count: 16,
      units: 4000,
      unit: '/s',
      run: (connections) =>
        Promise.all(
          connections.map(async (connection) => {
            for (let i = 0; i < 250; i += 1) await connection.query('SELECT 1')
          }),
        ),
    },
  }
  const memory = []
  const measured = Object.fromEntries(Object.keys(loads).map((load) => [load, []]))
  const rounds = Number(process.env.ROUNDS ?? 9)
  for (let round = 0; round < rounds; round += 1) {
    for (const [load, { count, units, run }] of Object.entries(loads)) {
      const result = {}
      const names = Object.keys(contenders)
      for (const name of round % 2 ? names.toReversed() : names) {
        const { middle, open } = contenders[name]
        const connections = await Promise.all(Array.from({ length: count }, open))
        await connections[0].query('SELECT 1')
        const before = { client: process.cpuUsage(), middle: cpuMs(middle), at: performance.now() }
        await run(connections)
        const seconds = (performance.now() - before.at) / 1000
        const { user, system } = process.cpuUsage(before.client)
        result[name] = {
          perSecond: units / seconds,
          clientMs: (user + system) / 1000,
          middleMs: cpuMs(middle) - before.middle,
        }
        for (const connection of connections) connection.destroy()
      }
      measured[load].push(result)
    }
    memory.push(
      Math.round(
        Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${proxy.pid}/status`, 'utf8'))?.[1]) / 1024,
      ),
    )
  }
  for (const [load, { unit }] of Object.entries(loads)) {
    const of = (name, field) => median(measured[load].map((result) => result[name][field])).toFixed(0)
    // The rounds of a busy machine differ: the ratio is that of neighbours in one round.
    const ratio = (over) =>
      median(
        measured[load].map(({ proxy: ours, [over]: other }) => ours.perSecond / other.perSecond),
      ).toFixed(2)
    console.log(`${load}: proxy / TCP forward ${ratio('forward')}, proxy / direct ${ratio('direct')}`)
    for (const name of Object.keys(contenders)) {
      console.log(
        `  ${name.padEnd(8)} ${of(name, 'perSecond').padStart(6)} ${unit}, CPU: client ${of(name, 'clientMs')} ms, ` +
          `in between ${of(name, 'middleMs')} ms`,
      )
    }
  }
  console.log(`memory of the proxy after each round: ${memory.join(', ')} MB`)
  proxy.kill()
  forward.kill()
}

/** Returns the processor time of a process so far, in milliseconds: /proc counts in hundredths of a second. */
function cpuMs(child) {
  if (child === undefined) return 0
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Reads a result without keeping it. */
function drain(connection, sql) {
  return new Promise((resolve, reject) => {
    connection.connection
      .query(sql)
      .on('result', () => {})
      .on('error', reject)
      .on('end', resolve)
  })
}

function start() {
  const times = { empty: [], library: [], help: [] }
  const library = createRequire(programPath).resolve('commander')
  const commands = {
    empty: ['-e', '0'],
    library: ['--input-type=module', '-e', `import ${JSON.stringify(library)}`],
    help: [programPath, '--help'],
  }
  for (let round = 0; round < 21; round += 1) {
    for (const [name, args] of Object.entries(commands)) {
      const startedAt = performance.now()
      execFileSync(process.execPath, args, { stdio: 'ignore' })
      times[name].push(performance.now() - startedAt)
    }
  }
  const [empty, withLibrary, help] = Object.values(times).map(median)
  console.log(
    `start-up: node -e 0 ${empty.toFixed(0)} ms, with commander ${withLibrary.toFixed(0)} ms, --help ${help.toFixed(0)} ms, ` +
      `ratio ${(help / withLibrary).toFixed(2)}`,
  )
}

async function plan() {
  // Four processes that share the limit among them: 5 logins a second each, 15 connections.
  const settings = { host, port, database, iam, pool: 15, limit: 5 }
  const { fullMs: realMs, loginMs } = await coldStart(4, settings)
  // How long a login takes here is a fact of the machine: the plan is given it, as a user does.
  const given = String(Math.max(1, Math.round(loginMs)))
  const args = ['plan', '--processes', '4', '--pool', '15', '--limit', '20', '--login-ms', given, '--json']
  const { outcomes } = JSON.parse(
    execFileSync(process.execPath, [programPath, ...args], { encoding: 'utf8' }),
  )
  const { fullMs } = outcomes.find(({ limiter }) => limiter === 'fleet')
  console.log(
    `plan: 60 connections of 4 processes at 20 a second: real ${realMs.toFixed(0)} ms, plan ${fullMs.toFixed(0)} ms, ratio ${(fullMs / realMs).toFixed(2)}`,
  )
}
