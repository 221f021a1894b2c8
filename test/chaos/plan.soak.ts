import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { RedisServer } from '@aurora-iam/test-support/redis-server'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { coldStart } from '../fixtures/plan/real-fleet.mjs'

const cli = fileURLToPath(new URL('../../packages/cli', import.meta.url))
const aurora = await localAurora({ throttle: false })

beforeAll(async () => {
  await promisify(execFile)(`${cli}/../../node_modules/.bin/tsc`, ['-b', cli])
})

const PROCESSES = 4
const POOL = 15
const LIMIT = 20

/** Returns the time until every pool is full, as `plan` has it for the fleet store. */
async function planned(loginMs: number): Promise<number> {
  const fleet = ['--processes', String(PROCESSES), '--pool', String(POOL), '--limit', String(LIMIT)]
  // The time of a login is a fact of the machine: the plan is given it, as a user gives it.
  const options = [...fleet, '--login-ms', String(Math.max(1, Math.round(loginMs))), '--json']
  const { stdout } = await promisify(execFile)(process.execPath, [
    `${cli}/bin/aurora-iam.js`,
    'plan',
    ...options,
  ])
  const { outcomes } = JSON.parse(stdout) as {
    outcomes: { scenario: string; limiter: string; fullMs: number }[]
  }
  const outcome = outcomes.find(({ scenario, limiter }) => scenario === 'cold start' && limiter === 'fleet')
  return outcome?.fullMs ?? Number.NaN
}

test('four processes that share a limit by a real Redis: the plan is within 10 % of their cold start', async () => {
  const server = await RedisServer.start()
  onTestFinished(() => server.close())
  const { host, port, database } = aurora
  const redis = `redis://127.0.0.1:${server.port}`
  const settings = { host, port, database, iam: aurora.iam, pool: POOL, limit: LIMIT, redis }
  const { fullMs, loginMs } = await coldStart(PROCESSES, settings)
  const plan = await planned(loginMs)
  const said = `plan ${plan.toFixed(0)} ms, real ${fullMs.toFixed(0)} ms`
  expect(plan / fullMs, said).toBeGreaterThan(0.9)
  expect(plan / fullMs, said).toBeLessThan(1.1)
}, 120_000)
