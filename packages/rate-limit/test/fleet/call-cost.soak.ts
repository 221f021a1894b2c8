import { expect, test } from 'vitest'
import { writeResults } from '../bench-results.ts'
import { callCost } from '../call-cost.ts'
import { startRedis } from '../redis.ts'

const redis = await startRedis()

test('100,000 processes in line: a call costs Redis at most 250 µs, and at most twice as much as with 10', async () => {
  const costs = []
  for (const processes of [10, 100, 1000, 10_000, 100_000]) costs.push(await callCost(redis, processes))
  await writeResults('call-cost.json', costs, ['processes'])
  process.stdout.write(`${JSON.stringify(costs)}\n`)
  const [few, many] = [costs[0]!, costs.at(-1)!]
  expect(many.microseconds).toBeLessThanOrEqual(250)
  expect(many.microseconds).toBeLessThanOrEqual(2 * few.microseconds)
}, 600_000)
