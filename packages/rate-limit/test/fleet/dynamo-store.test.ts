import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { AddressInfo, Server } from 'node:net'
import { CreateTableCommand, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createRateLimiter,
  dynamoStore,
  type RateLimiterOptions,
  StoreConflictError,
} from '../../src/index.ts'
import { peak } from '../fleet-script.ts'

// It has no types.
const dynalite = createRequire(import.meta.url)('dynalite') as (options: object) => Server
const server = dynalite({ createTableMs: 0 })
const tableName = 'rate-limit'
let client: DynamoDBClient
let writes = 0

beforeAll(async () => {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'
  await once(server.listen(0, '127.0.0.1'), 'listening')
  client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' },
  })
  client.middlewareStack.add(
    (next, context) => (args) => {
      if (context.commandName === 'UpdateItemCommand') writes += 1
      return next(args)
    },
    { step: 'finalizeRequest' },
  )
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
})

afterAll(() => {
  client.destroy()
  server.close()
})

function limiterOf(prefix: string, options: Partial<RateLimiterOptions> = {}) {
  const store = dynamoStore(client, { tableName, prefix, toleranceMs: 50, handshakeMs: 100 })
  return createRateLimiter({ limit: 10, intervalMs: 500, store, ...options })
}

test('four limiters on one table: never over the limit, all granted, about a write for each permit', async () => {
  const limiters = Array.from({ length: 4 }, () => limiterOf('fleet'))
  const counted: number[] = []
  writes = 0
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
  const drawn = limiters.reduce((sum, limiter) => sum + limiter.stats().granted, 0)
  // The first draws of a block may meet each other.
  expect(writes).toBeLessThanOrEqual(drawn * 1.1 + 8)
})

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
