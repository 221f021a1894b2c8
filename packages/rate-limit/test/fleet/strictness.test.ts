import { RedisServer } from '@aurora-iam/test-support/redis-server'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fleetStep } from '../../src/fleet/lua-scripts.ts'
import { type FleetScenario, fleetScenarios, playFleet } from '../fleet-scenario.ts'
import { onGivenClock, peak, scriptRunner } from '../fleet-script.ts'

// The script itself, in Redis itself, on a clock that the test moves.
let server: RedisServer
let redis: Redis
let scenariosPlayed = 0

beforeAll(async () => {
  server = await RedisServer.start()
  redis = new Redis(server.port)
})

afterAll(async () => {
  redis.disconnect()
  await server.close()
})

function play(scenario: FleetScenario, script: string) {
  const { run, lose } = scriptRunner(redis, script)
  return playFleet(scenario, `scenario-${scenariosPlayed++}`, run, lose)
}

/** A fresh seed each time; name one, as the report of a failure does, to play it again. */
const seed = Number(process.env.FLEET_SEED ?? Math.floor(Math.random() * 2 ** 31))

test(`any mix of crashes, freezes, outages, slow networks and clock steps: never over the limit, no request without an answer (FLEET_SEED=${seed})`, async () => {
  const script = onGivenClock(fleetStep)
  await fc.assert(
    fc.asyncProperty(fleetScenarios, async (scenario) => {
      const { arrivals, unanswered } = await play(scenario, script)
      expect(peak(arrivals, scenario.intervalMs)).toBeLessThanOrEqual(scenario.limit)
      expect(unanswered).toBe(0)
    }),
    { seed, numRuns: Number(process.env.FLEET_RUNS ?? 100), endOnFailure: process.env.FLEET_FAST === '1' },
  )
}, 3_600_000)
