import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AdapterHarness } from '../conformance/harness.ts'
import { MARIADB_PATHS, MYSQL2_PATHS } from './driver-paths.ts'
import { hostileBeforeTls, hostileInsideTls } from './hostile-arbitraries.ts'
import {
  CONNECT_TIMEOUT_MS,
  eventually,
  expectAllPlacesBack,
  hostileRig,
  leakIn,
  outcomeOf,
} from './hostile-rig.ts'
import type { Script } from './hostile-server.ts'

const SEED = 20_261_123
// More of them would time out for want of the processor before they are met.
const AT_ONCE = 40

const rig = hostileRig()

/** Lets a pool of `harness` meet each of `scripts`, and returns how many queries were answered. */
async function meet(harness: AdapterHarness, scripts: readonly Script[]): Promise<number> {
  const server = rig.server()
  const { client, limiter } = await rig.open(harness, AT_ONCE)
  let met = 0
  server.script = (session) => scripts[met++]?.(session) ?? session.destroy()
  let answered = 0
  const user = async () => {
    while (met < scripts.length) {
      const outcome = await outcomeOf(client.query('SELECT 1'))
      if ('error' in outcome) expect(outcome.error).toBeInstanceOf(Error)
      else answered++
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, user))
  const leaks = server.takeSessions().flatMap((session, index) => {
    const leak = leakIn(session)
    return leak ? [`${leak}, by case ${index} of seed ${SEED}`] : []
  })
  expect(leaks).toEqual([])
  await expectAllPlacesBack(limiter)

  rig.beGood()
  expect(await eventually(() => client.query('SELECT 1 AS one'))).toEqual([{ one: 1 }])
  await client.close()
  server.takeSessions()
  return answered
}

test.each(MYSQL2_PATHS.map((harness) => [harness.name, harness] as const))(
  '%s meets 10,000 hostile servers: no token astray, nothing believed before TLS, and the pool is well afterwards',
  { timeout: 120_000 },
  async (_, harness) => {
    expect(await meet(harness, fc.sample(hostileBeforeTls, { seed: SEED, numRuns: 9_500 }))).toBe(0)
    await meet(harness, fc.sample(hostileInsideTls(2 * CONNECT_TIMEOUT_MS), { seed: SEED, numRuns: 500 }))
  },
)

// Fewer, as Prisma takes ten times as long over each; and none inside TLS, where mariadb throws at what it cannot read
// of a server that has been verified.
test.each(MARIADB_PATHS.map((harness) => [harness.name, harness] as const))(
  '%s meets 500 servers that are hostile before TLS, and the pool is well afterwards',
  { timeout: 120_000 },
  async (_, harness) => {
    expect(await meet(harness, fc.sample(hostileBeforeTls, { seed: SEED, numRuns: 500 }))).toBe(0)
  },
)
