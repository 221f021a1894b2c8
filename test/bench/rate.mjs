// What the rate limit costs, and how much of the limit it leaves unused: as ratios, as in run.mjs.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import mysql from 'mysql2/promise'

const LIMIT = 20
const REDIS_PORT = 36_379

await costByWaiters()
const aurora = await startLocalAurora({ throttle: LIMIT })
const place = { host: aurora.host, port: aurora.port, user: 'app', database: 'app' }
await oneProcess(500)
await aFleet(4, 60)
await aurora.close()

/** Measures a request that joins a queue and leaves it, by the length of the queue. */
async function costByWaiters() {
  console.log('\nA request that joins and leaves the line')
  let first
  for (const count of [1_000, 1_000, 10_000, 100_000]) {
    const limiter = createRateLimiter({ limit: 1, maxQueue: count })
    await limiter.acquire()
    const { signal, abort } = abortable()
    const startedAt = performance.now()
    const requests = Array.from({ length: count }, () => limiter.acquire({ signal }))
    abort()
    await Promise.allSettled(requests)
    const each = ((performance.now() - startedAt) * 1_000) / count
    // The first round only warms up.
    if (first === undefined) first = 0
    else {
      first ||= each
      const line = `${count} wait`.padEnd(16)
      console.log(`  ${line}${each.toFixed(1).padStart(8)} µs   ${(each / first).toFixed(2).padStart(6)} x`)
    }
  }
}

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}

async function oneProcess(count) {
  aurora.log.clear()
  const options = withAuroraIam(place, { ...aurora.iam, rateLimit: LIMIT, maxWaitMs: 120_000 })
  const logIn = async () => (await mysql.createConnection(options)).end()
  await Promise.all(Array.from({ length: count }, logIn))
  report(`${count} logins of one process at ${LIMIT}/s, over TLS`)
}

async function aFleet(size, each) {
  aurora.log.clear()
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  const quiet = ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1']
  const redis = spawn('redis-server', ['--port', `${REDIS_PORT}`, ...quiet], { stdio: 'ignore' })
  const { region, ca, credentials, hostname } = aurora
  const settings = {
    adapter: 'mysql2',
    redis: REDIS_PORT,
    limit: LIMIT,
    aurora: { ...place, iam: { region, ca, credentials, hostname } },
  }
  const members = Array.from({ length: size }, () =>
    fork(new URL('../fixtures/fleet/logins.mjs', import.meta.url), {
      env: { ...process.env, FLEET_SETTINGS: JSON.stringify(settings) },
    }),
  )
  await Promise.all(members.map((member) => once(member, 'message')))
  await Promise.all(
    members.map(async (member) => {
      member.send(each)
      await once(member, 'message')
      member.disconnect()
    }),
  )
  redis.kill()
  report(`${size} processes, ${each} logins each, through Redis, at ${LIMIT}/s, over TLS`)
}

/** Compares, as the database saw it, the least time in which so many can come, against the time from the first to the last. */
function report(what) {
  const tokens = [...aurora.log].filter(({ type }) => type === 'token').map(({ atMs }) => atMs)
  const needed = Math.floor((tokens.length - 1) / LIMIT) * 1_000
  const took = tokens.at(-1) - tokens[0]
  console.log(`\n${what}`)
  console.log(
    `  took ${(took / needed).toFixed(3)} x the least possible; used ${(needed / took).toFixed(3)} of the limit`,
  )
  console.log(`  most in any second: ${aurora.log.peakTokens(1_000)}; refused: ${aurora.log.refusals.length}`)
}
