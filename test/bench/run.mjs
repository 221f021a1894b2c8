// What the library costs, as ratios side by side in one run: absolute times say more about the machine.
import { createAuroraIam } from '@aurora-iam/core'
import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { Signer } from '@aws-sdk/rds-signer'
import mysql from 'mysql2/promise'

const ROUNDS = 7
const CONNECTIONS = 50

const aurora = await startLocalAurora({ throttle: false })
const { host, port, hostname, region, ca, credentials } = aurora
const place = { host, port, user: 'app', database: 'app' }
const iam = createAuroraIam({ ...aurora.iam, rateLimit: false })
const target = { hostname, port, username: 'app' }
const signer = new Signer({ ...target, region, credentials })
const { value: password } = await iam.token(target)

await compare(`${CONNECTIONS} new connections`, [
  ['plain mysql2, ssl { ca, verifyIdentity }', () => openAll({ ...place, ...plainOptions() })],
  ['withAuroraIam, rateLimit: false', () => openAll(withAuroraIam(place, iam))],
  ['withAuroraIam, a limit that is never met', () => openAll(withAuroraIam(place, limited()))],
])
await compare('1000 tokens', [
  ['Signer.getAuthToken()', () => times(1_000, () => signer.getAuthToken())],
  ['AuroraIam.token(), from the cache', () => times(1_000, () => iam.token(target))],
])
await compare('10000 permits', [
  ['await of a resolved promise', () => times(10_000, () => Promise.resolve())],
  [
    'acquire() and release(), empty queue',
    () => times(10_000, permit(createRateLimiter({ limit: 1_000_000 }))),
  ],
])
await aurora.close()

function plainOptions() {
  const ssl = { ca, verifyIdentity: true }
  // The certificate is for the endpoint's name and for loopback alike, so the plain driver can verify it too.
  return { password, enableCleartextPlugin: true, ssl }
}

function limited() {
  return { ...aurora.iam, rateLimit: createRateLimiter({ limit: 100_000 }) }
}

function permit(limiter) {
  return async () => (await limiter.acquire()).release()
}

async function openAll(options) {
  const pool = mysql.createPool({ ...options, connectionLimit: CONNECTIONS })
  const held = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.getConnection()))
  for (const connection of held) connection.release()
  await pool.end()
}

async function times(count, work) {
  for (let i = 0; i < count; i++) await work()
}

/** Runs the contenders in turn, so that all meet the same moods of the machine, and prints the median of each. */
async function compare(what, contenders) {
  const samples = contenders.map(() => [])
  for (let round = -1; round < ROUNDS; round++) {
    for (const [index, [, work]] of contenders.entries()) {
      const startedAt = performance.now()
      await work()
      // The first round only warms up.
      if (round >= 0) samples[index].push(performance.now() - startedAt)
    }
  }
  const medians = samples.map((values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)])
  console.log(`\n${what}`)
  for (const [index, [name]] of contenders.entries()) {
    const ratio = (medians[index] / medians[0]).toFixed(2)
    console.log(`  ${name.padEnd(44)}${medians[index].toFixed(1).padStart(9)} ms   ${ratio.padStart(6)} x`)
  }
}
