// The command line: the relay of `proxy` beside a plain TCP forward, the start-up of `--help`, and `plan` beside a real
// run. Prints ratios. By hand: node test/bench/cli.mjs [relay|start|plan]
import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createConnection } from 'mysql2/promise'

const bin = fileURLToPath(new URL('../../packages/cli/bin/aurora-iam.js', import.meta.url))
const parts = process.argv.length > 2 ? process.argv.slice(2) : ['relay', 'start', 'plan']
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const folder = mkdtempSync(join(tmpdir(), 'cli-bench-'))

const aurora = await startLocalAurora({ throttle: false })
const { host, port, hostname, database, region, credentials } = aurora
writeFileSync(join(folder, 'ca.pem'), aurora.ca)
const environment = {
  ...process.env,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_SESSION_TOKEN: credentials.sessionToken,
  AWS_REGION: region,
}

if (parts.includes('relay')) await relay()
if (parts.includes('start')) start()
if (parts.includes('plan')) await plan()
await aurora.close()
rmSync(folder, { recursive: true })

async function relay() {
  const target = ['--host', host, '--port', String(port), '--hostname', hostname, '--user', 'app']
  const options = [
    ...target,
    '--ca',
    join(folder, 'ca.pem'),
    '--listen',
    '127.0.0.1:0',
    '--limit',
    '1000',
    '--json',
  ]
  const proxy = spawn(process.execPath, [bin, 'proxy', ...options], { env: environment })
  const [line] = await once(proxy.stdout, 'data')
  const { address, password } = JSON.parse(String(line).split('\n')[0])
  proxy.stdout.resume()
  const forward = fork(fileURLToPath(new URL('tcp-forward.mjs', import.meta.url)), [String(port)])
  const [forwardPort] = await once(forward, 'message')

  const iam = { ...aurora.iam, rateLimit: false, port, dial: { host: '127.0.0.1', port: forwardPort } }
  const contenders = {
    'TCP forward': () => createConnection(withAuroraIam({ host, port, user: 'app', database }, iam)),
    'aurora-iam proxy': () =>
      createConnection({
        host: '127.0.0.1',
        port: Number(address.split(':')[1]),
        user: 'app',
        password,
        database,
      }),
  }
  const names = Object.keys(contenders)
  const rows = 'SELECT REPEAT(CHAR(97 + seq % 26), 60000) AS x FROM seq_1_to_800'
  const large = { [names[0]]: [], [names[1]]: [] }
  const small = { [names[0]]: [], [names[1]]: [] }
  const memory = []
  for (let round = 0; round < 7; round += 1) {
    for (const name of round % 2 ? names.toReversed() : names) {
      const connections = await Promise.all(Array.from({ length: 16 }, contenders[name]))
      let startedAt = performance.now()
      await drain(connections[0], rows)
      large[name].push(48 / ((performance.now() - startedAt) / 1000))
      startedAt = performance.now()
      await Promise.all(
        connections.map(async (connection) => {
          for (let i = 0; i < 250; i += 1) await connection.query('SELECT 1')
        }),
      )
      small[name].push(4000 / ((performance.now() - startedAt) / 1000))
      for (const connection of connections) connection.destroy()
    }
    memory.push(
      Math.round(
        Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${proxy.pid}/status`, 'utf8'))?.[1]) / 1024,
      ),
    )
  }
  const report = (what, unit, results) => {
    const [plain, ours] = names.map((name) => median(results[name]))
    console.log(
      `${what}: forward ${plain.toFixed(0)} ${unit}, proxy ${ours.toFixed(0)} ${unit}, ratio ${(ours / plain).toFixed(2)}`,
    )
  }
  report('large results', 'MB/s', large)
  report('SELECT 1 over 16 connections', '/s', small)
  console.log(`memory of the proxy after each round: ${memory.join(', ')} MB`)
  proxy.kill()
  forward.kill()
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
  const library = createRequire(bin).resolve('commander')
  const commands = {
    empty: ['-e', '0'],
    library: ['--input-type=module', '-e', `import ${JSON.stringify(library)}`],
    help: [bin, '--help'],
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
  // Four processes that share the limit among them, as `share` does: 5 logins a second each, 15 connections.
  const members = Array.from({ length: 4 }, () =>
    fork(fileURLToPath(new URL('plan-member.mjs', import.meta.url))),
  )
  const settings = { host, port, database, iam: { ...aurora.iam }, pool: 15, limit: 5 }
  await Promise.all(members.map((member) => once(member, 'message')))
  for (const member of members) member.send(settings)
  await Promise.all(members.map((member) => once(member, 'message')))
  const startedAt = performance.now()
  for (const member of members) member.send({})
  const durations = await Promise.all(members.map(async (member) => (await once(member, 'message'))[0]))
  const realMs = performance.now() - startedAt
  // How long a login takes here is a fact of the machine: the plan is given it, as a user does.
  const loginMs = String(
    Math.max(1, Math.round(durations.reduce((sum, mean) => sum + mean, 0) / durations.length)),
  )
  const args = ['plan', '--processes', '4', '--pool', '15', '--limit', '20', '--login-ms', loginMs, '--json']
  const { outcomes } = JSON.parse(execFileSync(process.execPath, [bin, ...args], { encoding: 'utf8' }))
  const { fullMs } = outcomes.find(({ limiter }) => limiter === 'fleet')
  console.log(
    `plan: 60 connections of 4 processes at 20 a second: real ${realMs.toFixed(0)} ms, plan ${fullMs.toFixed(0)} ms, ratio ${(fullMs / realMs).toFixed(2)}`,
  )
  for (const member of members) member.kill()
}
