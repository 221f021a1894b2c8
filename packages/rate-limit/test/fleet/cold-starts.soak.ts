import { writeFile } from 'node:fs/promises'
import { afterAll, expect, test } from 'vitest'
import { coldStartKeys, writeResults } from '../bench-results.ts'
import { type ColdStart, type ColdStartResult, playColdStart } from '../cold-start.ts'
import { startRedis } from '../redis.ts'

const redis = await startRedis()
const results: ColdStartResult[] = []

afterAll(async () => {
  // The bench asks for fleets of its sizes, in a file for it.
  const file = process.env.COLD_STARTS_FILE
  if (file === undefined) await writeResults('cold-starts.json', results, coldStartKeys)
  else await writeFile(file, `${JSON.stringify(results, undefined, 2)}\n`)
})

const sizes = (process.env.COLD_STARTS ?? '1000,3000,10000').split(',').map(Number)
const starts: ColdStart[] = [200, 20].flatMap((limit) =>
  sizes.flatMap((processes) => [0, 1000].map((overMs) => ({ limit, processes, overMs, loginsEach: 1 }))),
)
if (process.env.COLD_STARTS === undefined) {
  starts.push(
    // Those that were measured with release 0.1 as well.
    { limit: 20, processes: 500, overMs: 0, loginsEach: 1 },
    { limit: 200, processes: 1000, overMs: 500, loginsEach: 1 },
    { limit: 200, processes: 3000, overMs: 3000, loginsEach: 1 },
    // Fairness shows when each process wants several.
    { limit: 20, processes: 1000, overMs: 0, loginsEach: 3 },
    { limit: 200, processes: 3000, overMs: 0, loginsEach: 3 },
    { limit: 200, processes: 10_000, overMs: 0, loginsEach: 2 },
  )
}

const titled = starts.map((start): [string, ColdStart] => {
  const { limit, processes, overMs, loginsEach } = start
  return [
    `${processes} cold starts of ${loginsEach} logins within ${overMs} ms at a limit of ${limit}`,
    start,
  ]
})

test.each(titled)(
  '%s: never over, never idle',
  async (_title, start) => {
    const result = await playColdStart(redis, start)
    results.push(result)
    process.stdout.write(`${JSON.stringify(result)}\n`)
    expect(result.failed).toBe(0)
    expect(result.most).toBeLessThanOrEqual(start.limit)
    // A fleet that is in within a second or two has no long run to measure.
    if (start.processes < 5 * start.limit) return
    expect(result.used).toBeGreaterThanOrEqual(start.processes > 1000 ? 0.9 : 0.95)
    expect(result.longestGapMs).toBeLessThan(1000)
    expect(result.jain).toBeGreaterThanOrEqual(0.95)
    expect(result.busy).toBeLessThanOrEqual(0.5)
  },
  7_200_000,
)
