import { RedisServer } from '@aurora-iam/test-support/redis-server'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fleetScript } from '../src/fleet/redis-script.ts'
import { type FleetScenario, fleetScenarios, playFleet, type ScriptRunner } from './fleet-scenario.ts'

// The script itself, in Redis itself, on a clock that the test moves.
const scriptOnGivenClock = fleetScript.replace("redis.call('TIME')", '{ ARGV[2], ARGV[3] }')

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
  const run: ScriptRunner = (key, request, now) =>
    redis.eval(script, 1, key, request, Math.floor(now / 1000), (now % 1000) * 1000)
  return playFleet(scenario, `scenario-${scenariosPlayed++}`, run, async (key) => {
    await redis.del(key)
  })
}

/** Returns the most arrivals in any half-open interval. */
function peakTokens(arrivals: readonly number[], intervalMs: number): number {
  let first = 0
  let most = 0
  for (const [last, at] of arrivals.entries()) {
    while (at - arrivals[first]! >= intervalMs) first += 1
    most = Math.max(most, last - first + 1)
  }
  return most
}

test('whatever becomes of processes, of the store, its network and its clock: the server never counts more than the limit, and every request ends', async () => {
  await fc.assert(
    fc.asyncProperty(fleetScenarios, async (scenario) => {
      const { arrivals, unanswered } = await play(scenario, scriptOnGivenClock)
      expect(peakTokens(arrivals, scenario.intervalMs)).toBeLessThanOrEqual(scenario.limit)
      expect(unanswered).toBe(0)
    }),
    { seed: 20, numRuns: 120 },
  )
})

test.each([
  ['counts from the grant instead of the outcome', 'math.max(now - outcome.age, lease.from)', 'lease.from'],
  ['lets a crashed holder rest too little', 'restFrom(lease.till)', ''],
  ['grants at once after a loss', 'quiet = now + request.lease + request.interval + 3', 'quiet = 0'],
  ['forgets what was done while it was lost', 'state.resume + request.lease + rest', '0'],
  ['believes a clock that a process saw jump', 'or state.born == request.reset', ''],
])('the same property catches a script that %s', async (_, right, wrong) => {
  expect(scriptOnGivenClock.split(right)).toHaveLength(2)
  const broken = scriptOnGivenClock.replace(right, wrong)
  const result = await fc.check(
    fc.asyncProperty(fleetScenarios, async (scenario) => {
      const { arrivals, unanswered } = await play(scenario, broken)
      return peakTokens(arrivals, scenario.intervalMs) <= scenario.limit && unanswered === 0
    }),
    { seed: 20, numRuns: 400, endOnFailure: true },
  )
  expect(result.failed).toBe(true)
})
