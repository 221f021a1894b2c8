import { RedisServer } from '@aurora-iam/test-support/redis-server'
import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { coldStartKeys, writeResults } from '../bench-results.ts'
import { playRealColdStart, type RealColdStartResult } from '../real-cold-start.ts'

const results: RealColdStartResult[] = []

afterAll(async () => {
  await writeResults('cold-starts-redis.json', results, coldStartKeys)
})

const starts = [
  ...[200, 20].flatMap((limit) =>
    [1000, 3000, 10_000].map((processes) => ({ limit, processes, loginsEach: 1 })),
  ),
  // Fairness shows when each process wants several.
  { limit: 200, processes: 1000, loginsEach: 3 },
]

test.each(starts)(
  '$processes cold starts of $loginsEach logins at a limit of $limit over a real Redis, at once and within a second: never over, never idle',
  async (start) => {
    for (const overMs of [0, 1000]) {
      const server = await RedisServer.start()
      const redis = new Redis(server.port)
      try {
        const result = await playRealColdStart(redis, { ...start, overMs })
        results.push(result)
        process.stdout.write(`${JSON.stringify(result)}\n`)
        expect(result.failed).toBe(0)
        expect(result.most).toBeLessThanOrEqual(start.limit)
        expect(result.used).toBeGreaterThanOrEqual(start.processes > 1000 ? 0.9 : 0.95)
        expect(result.longestGapMs).toBeLessThan(1000)
        expect(result.jain).toBeGreaterThanOrEqual(0.95)
        expect(result.busy).toBeLessThanOrEqual(0.5)
      } finally {
        redis.disconnect()
        await server.close()
      }
    }
  },
  7_200_000,
)
