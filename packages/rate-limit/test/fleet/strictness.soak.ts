import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { fleetStep } from '../../src/fleet/lua-scripts.ts'
import { fleetScenarios, playFleet } from '../fleet-scenario.ts'
import { onGivenClock, peak, scriptRunner } from '../fleet-script.ts'
import { startRedis } from '../redis.ts'

const redis = await startRedis()

afterEach(() => {
  vi.restoreAllMocks()
})

const runs = Number(process.env.FLEET_RUNS ?? 5000)
const seed = Number(process.env.FLEET_SEED ?? Math.floor(Math.random() * 2 ** 31))

test(`${runs} mixes of faults: never over the limit, no request without an answer (FLEET_SEED=${seed})`, async () => {
  const { run, lose } = scriptRunner(redis, onGivenClock(fleetStep))
  let played = 0
  await fc.assert(
    fc.asyncProperty(fleetScenarios, async (scenario) => {
      const { arrivals, unanswered } = await playFleet(scenario, `soak-${played++}`, run, lose)
      if (played % 500 === 0) {
        process.stdout.write(`${played} played\n`)
        await redis.flushall()
      }
      expect(peak(arrivals, scenario.intervalMs)).toBeLessThanOrEqual(scenario.limit)
      expect(unanswered).toBe(0)
    }),
    { seed, numRuns: runs },
  )
}, 7_200_000)
