import { DynamoServer } from '@aurora-iam/test-support/dynamo-server'
import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRateLimiter, dynamoStore, type RateLimiterOptions } from '../../src/index.ts'
import { dynamoCounter } from '../../src/tickets/dynamo-store.ts'
import { peak } from '../fleet-script.ts'

let server: DynamoServer
let client: DynamoDBClient
let tableName: string
let writes = 0

beforeAll(async () => {
  server = await DynamoServer.start()
  ;({ client, tableName } = server)
  client.middlewareStack.add(
    (next, context) => (args) => {
      if (context.commandName === 'UpdateItemCommand') writes += 1
      return next(args)
    },
    { step: 'finalizeRequest' },
  )
})

afterAll(() => {
  server.close()
})

function limiterOf(prefix: string, options: Partial<RateLimiterOptions> = {}) {
  const store = dynamoStore(client, { tableName, prefix, toleranceMs: 50, handshakeMs: 100 })
  return createRateLimiter({ limit: 10, intervalMs: 500, store, ...options })
}

test('four limiters on one table: never over the limit, and all granted', async () => {
  const limiters = Array.from({ length: 4 }, () => limiterOf('fleet'))
  const counted: number[] = []
  await Promise.all(
    limiters.flatMap((limiter) =>
      Array.from({ length: 12 }, async () => {
        for (;;) {
          const permit = await limiter.acquire()
          await new Promise((resolve) => setTimeout(resolve, 5))
          const isLapsed = permit.isLapsed
          if (!isLapsed) counted.push(performance.now())
          permit.release(isLapsed ? 'failed' : 'ok')
          if (!isLapsed) return
        }
      }),
    ),
  )
  expect(counted).toHaveLength(48)
  expect(peak(counted, 500)).toBeLessThanOrEqual(10)
}, 120_000)

test('a wait longer than maxWaitMs: refused when the ticket is drawn, and no ticket is lost by it', async () => {
  const limiter = limiterOf('bounded', { limit: 1, maxWaitMs: 1000, maxInFlight: 20 })
  const requests = Array.from({ length: 8 }, async () => (await limiter.acquire()).release())
  const results = await Promise.allSettled(requests)
  expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0)
  const { Item } = await client.send(
    new GetItemCommand({ TableName: tableName, Key: { id: { S: 'bounded:default' } } }),
  )
  // Blocks of 700 ms, of which two begin within a second.
  expect(Number(Item?.n?.N) * 700).toBeLessThan(Date.now() + 1400)
})

test('a table that does not exist: nothing is granted, and the error is the store’s', async () => {
  const limiter = createRateLimiter({ limit: 5, store: dynamoStore(client, { tableName: 'nowhere' }) })
  await expect(limiter.acquire({ timeoutMs: 300 })).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_STORE_LOST',
    cause: expect.objectContaining({ name: 'ResourceNotFoundException' }),
  })
  expect(limiter.stats()).toMatchObject({ granted: 0, storeLost: true })
})

test('400 tickets drawn by 4 processes that start together: at most 1.1 writes for each', async () => {
  const counters = Array.from({ length: 4 }, () => dynamoCounter(client, { tableName, prefix: 'writes' }))
  writes = 0
  const drawn = await Promise.all(
    counters.map(async (counter) => {
      const numbers: (number | undefined)[] = []
      while (numbers.length < 100) {
        numbers.push(...(await Promise.all([1, 2, 3, 4].map(() => counter.draw('k', 's', 1000, 9999)))))
      }
      return numbers
    }),
  )
  expect(new Set(drawn.flat()).size).toBe(400)
  expect(writes).toBeLessThanOrEqual(440)
})

test('two processes with different limits: the second is refused every permit, and the error names the remedy', async () => {
  const first = limiterOf('limits', { limit: 10 })
  ;(await first.acquire()).release()
  const second = limiterOf('limits', { limit: 20 })
  await expect(second.acquire({ timeoutMs: 2000 })).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_STORE_LOST',
    message: expect.stringMatching(/another limit, interval or tolerance.*another `prefix`/),
  })
  first.close()
  second.close()
})
