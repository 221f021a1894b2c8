import { DynamoServer } from '@aurora-iam/test-support/dynamo-server'
import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createRateLimiter,
  dynamoStore,
  type RateLimiterOptions,
  StoreConflictError,
} from '../../src/index.ts'
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

test('another limit on the same item: refused, with the remedy', async () => {
  const store = dynamoStore(client, { tableName, prefix: 'shape' })
  await store.draw('default', '10/1300', 100, 200)
  await expect(store.draw('default', '20/1300', 100, 200)).rejects.toThrow(StoreConflictError)
})

test('several draws: one number after the other, and none beyond the last that is allowed', async () => {
  const store = dynamoStore(client, { tableName, prefix: 'numbers' })
  const draws = await Promise.all(Array.from({ length: 5 }, () => store.draw('k', 's', 100, 103)))
  expect(draws.toSorted()).toEqual([100, 101, 102, 103, undefined])
  expect(await store.draw('k', 's', 200, 300)).toBe(200)
})

test('a table that does not exist: nothing is granted, and the error is the store’s', async () => {
  const limiter = createRateLimiter({ limit: 5, store: dynamoStore(client, { tableName: 'nowhere' }) })
  await expect(limiter.acquire({ timeoutMs: 300 })).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_STORE_LOST',
    cause: expect.objectContaining({ name: 'ResourceNotFoundException' }),
  })
  expect(limiter.stats()).toMatchObject({ granted: 0, storeLost: true })
})

test.each([
  ['client', () => dynamoStore({} as never, { tableName })],
  ['options', () => dynamoStore(client, 'rate-limit' as never)],
  ['tableName', () => dynamoStore(client, {} as never)],
  ['toleranceMs', () => dynamoStore(client, { tableName, toleranceMs: -1 })],
  ['table', () => dynamoStore(client, { tableName, table: 'x' } as never)],
])('a wrong %s: refused by name', (option, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_RATE_LIMIT_INVALID_OPTION', option }))
})

test('400 tickets drawn by 4 processes that start together: at most 1.1 writes for each', async () => {
  const stores = Array.from({ length: 4 }, () => dynamoStore(client, { tableName, prefix: 'writes' }))
  writes = 0
  const drawn = await Promise.all(
    stores.map(async (store) => {
      const numbers: (number | undefined)[] = []
      while (numbers.length < 100) {
        numbers.push(...(await Promise.all([1, 2, 3, 4].map(() => store.draw('k', 's', 1000, 9999)))))
      }
      return numbers
    }),
  )
  expect(new Set(drawn.flat()).size).toBe(400)
  expect(writes).toBeLessThanOrEqual(440)
})

test('a table that throttles and then recovers: nothing is granted meanwhile, then all are', async () => {
  let isThrottled = true
  const table = dynamoStore(client, { tableName, prefix: 'throttled', toleranceMs: 50, handshakeMs: 100 })
  const store: typeof table = {
    ...table,
    draw: async (...request) => {
      if (!isThrottled) return table.draw(...request)
      throw Object.assign(new Error('Rate exceeded.'), { name: 'ProvisionedThroughputExceededException' })
    },
  }
  const limiter = createRateLimiter({ limit: 10, intervalMs: 500, store })
  await expect(limiter.acquire({ timeoutMs: 200 })).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_STORE_LOST',
  })
  expect(limiter.stats()).toMatchObject({ granted: 0, storeLost: true })
  isThrottled = false
  const permit = await limiter.acquire()
  permit.release()
  expect(limiter.stats()).toMatchObject({ granted: 1, storeLost: false })
  limiter.close()
})

test('a lowered limit: this process uses the first tickets of each block alone, and nothing throws', async () => {
  const limiter = limiterOf('lowered', { limit: 10, maxInFlight: 20 })
  limiter.lower(2)
  const counted: number[] = []
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      const permit = await limiter.acquire()
      counted.push(performance.now())
      permit.release()
    }),
  )
  expect(limiter.stats()).toMatchObject({ limit: 2, effectiveLimit: 2 })
  expect(
    peak(
      counted.toSorted((one, other) => one - other),
      500,
    ),
  ).toBeLessThanOrEqual(2)
  limiter.close()
})

test('a throttled login: this process uses half of the tickets', async () => {
  const limiter = limiterOf('slowed', { recoveryIntervalMs: 60_000 })
  const permit = await limiter.acquire()
  permit.release('throttled')
  expect(limiter.stats()).toMatchObject({ limit: 10, effectiveLimit: 5, throttled: 1 })
  limiter.close()
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
