import { afterEach, expect, test, vi } from 'vitest'
import { startRedis } from '../redis.ts'
import { VirtualFleet } from '../virtual-fleet.ts'

const redis = await startRedis()

afterEach(() => {
  vi.restoreAllMocks()
})

test('150 of 300 processes abort their wait, those in front: no second passes without a login of the others', async () => {
  const fleet = new VirtualFleet(redis, { limit: 5, intervalMs: 1000 })
  const members = Array.from({ length: 300 }, () => fleet.member())
  const controllers = Array.from({ length: 150 }, () => new AbortController())
  fleet.clock.after(4000, () => {
    for (const controller of controllers) controller.abort()
  })
  const results = await fleet.run(
    Promise.all(
      members.map((member, index) => {
        const signal = controllers[index]?.signal
        return fleet.logIn(member, signal === undefined ? {} : { signal })
      }),
    ),
  )
  expect(results.filter((result) => result === 'ERR_RATE_LIMIT_ABORTED').length).toBeGreaterThan(100)
  expect(fleet.most).toBe(5)
  const gaps = fleet.counted.slice(1).map((at, index) => at - (fleet.counted[index] as number))
  expect(Math.max(...gaps)).toBeLessThan(1250)
})
