import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AdapterHarness, Client } from '../conformance/harness.ts'
import { hostileBeforeTls, hostileInsideTls } from './hostile-arbitraries.ts'
import {
  CONNECT_TIMEOUT_MS,
  eventually,
  expectAllPlacesBack,
  type HostileRig,
  leakIn,
  outcomeOf,
} from './hostile-rig.ts'
import type { Script } from './hostile-server.ts'

const SEED = 20_261_123
// More of them would time out for want of the processor before they are met.
const AT_ONCE = { beforeTls: 40, insideTls: 20 }

/** What a user does with a connection, of which a new one is made if need be. */
type Use = (client: Client) => Promise<unknown>

export const runQuery: Use = (client) => client.query('SELECT 1')
// mariadb prepares the queries of Prisma, and throws where nobody catches at an answer to that which breaks off in the
// middle. A transaction begins without.
export const runTransaction: Use = async (client) => (await client.hold()).release()

/** The connections of each harness meet `count` hostile servers, of which one in twenty is hostile inside TLS. */
export function describeFuzz(
  rig: HostileRig,
  paths: ReadonlyArray<readonly [harness: AdapterHarness, use: Use, count: number]>,
  timeout: number,
): void {
  test.each(paths.map(([harness, use, count]) => [harness.name, count, harness, use] as const))(
    '%s meets %i hostile servers: no token astray, nothing believed before TLS, and the pool is well afterwards',
    { timeout },
    async (_, count, harness, use) => {
      const sample = (scripts: fc.Arbitrary<Script>, share: number) =>
        fc.sample(scripts, { seed: SEED, numRuns: count * share })
      expect(await meet(rig, harness, use, sample(hostileBeforeTls, 0.95), AT_ONCE.beforeTls)).toBe(0)
      const insideTls = hostileInsideTls(2 * CONNECT_TIMEOUT_MS)
      await meet(rig, harness, use, sample(insideTls, 0.05), AT_ONCE.insideTls)
    },
  )
}

/** Lets `atOnce` connections of a pool of `harness` meet each of `scripts`, and returns how many could be used. */
async function meet(
  rig: HostileRig,
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
