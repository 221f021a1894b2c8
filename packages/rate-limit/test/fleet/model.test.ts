import { RedisServer } from '@aurora-iam/test-support/redis-server'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { fleetStep } from '../../src/fleet/lua-scripts.ts'
import { allInterleavings, type Interleaving, playInterleaving } from '../fleet-model.ts'
import { onGivenClock, scriptRunner } from '../fleet-script.ts'
import { LockstepClock } from '../lockstep-clock.ts'

// The limiters and the script themselves, in Redis itself, in virtual time.
let server: RedisServer
let redis: Redis

beforeAll(async () => {
  server = await RedisServer.start()
  redis = new Redis(server.port, { enableAutoPipelining: true })
})

afterAll(async () => {
  redis.disconnect()
  await server.close()
})

afterEach(() => {
  vi.restoreAllMocks()
})

async function playAll(interleavings: readonly Interleaving[], script: string): Promise<string[]> {
  await redis.flushall()
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  const clock = new LockstepClock()
  const { run, lose } = scriptRunner(redis, onGivenClock(script))
  const played = interleavings.map((interleaving, index) =>
    playInterleaving(interleaving, clock, `${index}`, run, (key) => void lose(key)),
  )
  return (await clock.run(Promise.all(played))).flat()
}

test('every interleaving of 6 logins of up to 3 processes with one outage: never over the limit, and every login ends', async () => {
  const interleavings = allInterleavings()
  expect(interleavings.length).toBe(122 * 49)
  expect(await playAll(interleavings, fleetStep)).toEqual([])
}, 120_000)

test('the same model finds what is wrong with a script that grants at once after a loss', async () => {
  const right = 'facts.quiet = max(facts.quiet, facts.born + longest + GRACE + rest)'
  expect(fleetStep.split(right)).toHaveLength(2)
  const some = allInterleavings().filter(({ turns }) => turns.join('') === '012012')
  expect(await playAll(some, fleetStep)).toEqual([])
  const broken = await playAll(some, fleetStep.replace(right, 'facts.quiet = 0'))
  expect(broken.some((words) => words.includes('logins in'))).toBe(true)
})
