import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AdapterHarness } from '../conformance/harness.ts'
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

/** Leads the connections of each harness to `count` hostile servers. One in twenty is hostile inside TLS. */
export function describeFuzz(
  rig: HostileRig,
  paths: ReadonlyArray<readonly [harness: AdapterHarness, count: number]>,
  timeout: number,
): void {
  test.each(paths.map(([harness, count]) => [harness.name, count, harness] as const))(
    '%s meets %i hostile servers: no token leaks, nothing is believed before TLS, and the pool stays usable',
    { timeout },
    async (_, count, harness) => {
      const sample = (scripts: fc.Arbitrary<Script>, share: number) =>
        fc.sample(scripts, { seed: SEED, numRuns: count * share })
      expect(await meet(rig, harness, sample(hostileBeforeTls, 0.95), AT_ONCE.beforeTls)).toBe(0)
      const insideTls = hostileInsideTls(2 * CONNECT_TIMEOUT_MS)
      await meet(rig, harness, sample(insideTls, 0.05), AT_ONCE.insideTls)
    },
  )
}

/** Lets `atOnce` connections of a pool of `harness` meet each of `scripts`, and returns how many answered. */
async function meet(
  rig: HostileRig,
  harness: AdapterHarness,
  scripts: readonly Script[],
  atOnce: number,
): Promise<number> {
  const server = rig.server()
  rig.beGood()
  const { client, limiter } = await rig.open(harness, atOnce + 1)
  // Prisma opens its first connection unasked, and all callers that wait for it get its failure.
  const first = await eventually(() => client.hold())
  server.takeSessions()
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
  return answered
}
