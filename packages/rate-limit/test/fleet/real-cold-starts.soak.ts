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
    const play = async (overMs: number) => {
      const server = await RedisServer.start()
      const redis = new Redis(server.port, { enableAutoPipelining: true })
      try {
        return await playRealColdStart(redis, { ...start, overMs })
      } finally {
        redis.disconnect()
        await server.close()
      }
    }
    // A slow fleet leaves this process time for another, on another server.
    const isSlow = start.limit === 20
    const played = isSlow ? await Promise.all([0, 1000].map(play)) : [await play(0), await play(1000)]
    results.push(...played)
    process.stdout.write(`${JSON.stringify(played)}\n`)
    for (const result of played) {
      expect(result.failed).toBe(0)
      expect(result.most).toBeLessThanOrEqual(start.limit)
      // One process plays them all: `cold-starts.soak.ts` has what the limiters can do.
      expect(result.used).toBeGreaterThanOrEqual(0.9)
      expect(result.longestGapMs).toBeLessThan(1000 + result.blockedMs)
      expect(result.jain).toBeGreaterThanOrEqual(0.95)
      expect(result.busy).toBeLessThanOrEqual(0.5)
    }
  },
  7_200_000,
)
