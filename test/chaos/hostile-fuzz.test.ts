import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AdapterHarness, Client } from '../conformance/harness.ts'
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
const AT_ONCE = { beforeTls: 40, insideTls: 10 }

/** What a user does with a connection, of which a new one is made if need be. */
type Use = (client: Client) => Promise<unknown>

const runQuery: Use = (client) => client.query('SELECT 1')
// mariadb prepares the queries of Prisma, and throws where nobody catches at an answer to that which breaks off in the
// middle. A transaction begins without.
const runTransaction: Use = async (client) => (await client.hold()).release()

const rig = hostileRig()

/** Lets `atOnce` connections of a pool of `harness` meet each of `scripts`, and returns how many could be used. */
async function meet(
  harness: AdapterHarness,
  use: Use,
  scripts: readonly Script[],
  atOnce: number,
): Promise<number> {
  const server = rig.server()
  rig.beGood()
  const { client, limiter } = await rig.open(harness, atOnce + 1)
  // Prisma opens its first connection by itself, and all who wait for that hear of its failure.
  const first = await eventually(() => client.hold())
  server.takeSessions()
  let met = 0
  server.script = (session) => scripts[met++]?.(session) ?? session.destroy()
  let usable = 0
  const user = async () => {
    while (met < scripts.length) {
      const outcome = await outcomeOf(use(client))
      if ('error' in outcome) expect(outcome.error).toBeInstanceOf(Error)
      else usable++
    }
  }
  await Promise.all(Array.from({ length: atOnce }, user))
  const leaks = server.takeSessions().flatMap((session, index) => {
    const leak = leakIn(session)
    return leak ? [`${leak}, by case ${index} of seed ${SEED}`] : []
  })
  expect(leaks).toEqual([])
  await expectAllPlacesBack(limiter)

  rig.beGood()
  await first.release()
  expect(await eventually(() => client.query('SELECT 1 AS one'))).toEqual([{ one: 1 }])
  await client.close()
  server.takeSessions()
  return usable
}

test.each([
  ...MYSQL2_PATHS.map((harness) => [harness.name, harness, runQuery] as const),
  ...MARIADB_PATHS.map((harness) => [harness.name, harness, runTransaction] as const),
])(
  '%s meets 10,000 hostile servers: no token astray, nothing believed before TLS, and the pool is well afterwards',
  { timeout: 120_000 },
  async (_, harness, use) => {
    const beforeTls = fc.sample(hostileBeforeTls, { seed: SEED, numRuns: 9_500 })
    expect(await meet(harness, use, beforeTls, AT_ONCE.beforeTls)).toBe(0)
    const insideTls = fc.sample(hostileInsideTls(2 * CONNECT_TIMEOUT_MS), { seed: SEED, numRuns: 500 })
    await meet(harness, use, insideTls, AT_ONCE.insideTls)
  },
)
