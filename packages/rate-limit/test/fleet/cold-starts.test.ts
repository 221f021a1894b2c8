import { afterEach, expect, test, vi } from 'vitest'
import { playColdStart } from '../cold-start.ts'
import { startRedis } from '../redis.ts'

const redis = await startRedis()

afterEach(() => {
  vi.restoreAllMocks()
})

// The large ones are in `cold-starts.soak.ts`.
test.each([
  { limit: 20, processes: 4, overMs: 1, loginsEach: 50 },
  { limit: 20, processes: 300, overMs: 1, loginsEach: 1 },
  { limit: 200, processes: 1000, overMs: 1, loginsEach: 1 },
  { limit: 200, processes: 1000, overMs: 1000, loginsEach: 1 },
])(
  '$processes cold starts of $loginsEach logins within $overMs ms at a limit of $limit: never over, never idle',
  async (start) => {
    const { most, used, longestGapMs, failed } = await playColdStart(redis, start)
    expect(failed).toBe(0)
    expect(most).toBeLessThanOrEqual(start.limit)
    expect(used).toBeGreaterThanOrEqual(0.95)
    // No second passes without a login.
    expect(longestGapMs).toBeLessThan(1000)
  },
  60_000,
)
