import { DynamoServer } from '@aurora-iam/test-support/dynamo-server'
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  type GetItemCommandInput,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { dynamoStore, StoreConflictError } from '../../src/index.ts'
import { dynamoCounter } from '../../src/tickets/dynamo-store.ts'

let server: DynamoServer
let client: DynamoDBClient
let tableName: string
/** The commands that were sent, and what each `GetItem` asked for. */
let commands: (string | undefined)[] = []
let reads: GetItemCommandInput[] = []
/** Runs before each command. May delay it, or throw instead of DynamoDB. */
let onCommand: (name: string | undefined) => unknown = () => {}

beforeAll(async () => {
  server = await DynamoServer.start()
  ;({ client, tableName } = server)
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        commands.push(commandName)
        if (commandName === 'GetItemCommand') reads.push(args.input as GetItemCommandInput)
        await onCommand(commandName)
        return next(args)
      },
    { step: 'initialize' },
  )
})

beforeEach(() => {
  // The second look comes at once.
  vi.spyOn(Math, 'random').mockReturnValue(0)
  onCommand = () => {}
  commands = []
  reads = []
})

afterEach(() => {
  vi.restoreAllMocks()
})

afterAll(() => {
  server.close()
})

function counterOf(prefix: string) {
  return dynamoCounter(client, { tableName, prefix })
}

async function itemOf(id: string) {
  const { Item } = await client.send(new GetItemCommand({ TableName: tableName, Key: { id: { S: id } } }))
  return Item
}

test('several draws: one number after the other, and none beyond the last that is allowed', async () => {
  const counter = counterOf('numbers')
  const draws = await Promise.all(Array.from({ length: 5 }, () => counter.draw('k', 's', 100, 103)))
  expect(draws.toSorted()).toEqual([100, 101, 102, 103, undefined])
  expect(await counter.draw('k', 's', 103, 103)).toBeUndefined()
  expect(await counter.draw('k', 's', 104, 104)).toBe(104)
  expect(await counter.draw('k', 's', 200, 300)).toBe(200)
  expect(await itemOf('numbers:k')).toEqual({
    id: { S: 'numbers:k' },
    n: { N: '200' },
    shape: { S: 's' },
  })
})

test('two keys and two prefixes: each has a separate counter', async () => {
  const draws = [counterOf('one'), counterOf('two')].flatMap((counter) =>
    ['a', 'b'].map((key) => counter.draw(key, 's', 50, 60)),
  )
  expect(await Promise.all(draws)).toEqual([50, 50, 50, 50])
})

test('a counter that is current: one write a draw, and no read', async () => {
  const counter = counterOf('current')
  await counter.draw('k', 's', 100, 200)
  commands = []
  expect(await Promise.all([1, 2, 3].map(() => counter.draw('k', 's', 101, 200)))).toHaveLength(3)
  expect(commands).toEqual(Array(3).fill('UpdateItemCommand'))
})

test('an idle counter, and several draws at once: one of them looks twice and sets it', async () => {
  const counter = counterOf('idle')
  await Promise.all([1, 2, 3].map(() => counter.draw('k', 's', 100, 200)))
  expect(commands).toEqual([
    'GetItemCommand',
    'GetItemCommand',
    'UpdateItemCommand',
    ...Array(3).fill('UpdateItemCommand'),
  ])
  for (const { ConsistentRead } of reads) expect(ConsistentRead).toBe(true)
  // It looks again at the next block.
  commands = []
  expect(await counter.draw('k', 's', 300, 400)).toBe(300)
  expect(commands.filter((name) => name === 'GetItemCommand')).toHaveLength(2)
})

test('a counter that another process has moved on: it is read once, and not set', async () => {
  const [one, other] = [counterOf('moved'), counterOf('moved')]
  await other.draw('k', 's', 100, 200)
  commands = []
  expect(await one.draw('k', 's', 101, 200)).toBe(101)
  expect(commands).toEqual(['GetItemCommand', 'UpdateItemCommand'])
})

test('a counter that another process sets between two looks: it is not set again', async () => {
  let looks = 0
  onCommand = (name) => {
    if (name !== 'GetItemCommand') return
    looks += 1
    return looks === 2 && counterOf('between').draw('k', 's', 150, 200)
  }
  expect(await counterOf('between').draw('k', 's', 100, 200)).toBe(151)
  expect(commands.filter((name) => name === 'UpdateItemCommand')).toHaveLength(3)
})

test('an item without a number: it begins as one that does not exist', async () => {
  await client.send(new PutItemCommand({ TableName: tableName, Item: { id: { S: 'empty:k' } } }))
  expect(await counterOf('empty').draw('k', 's', 100, 200)).toBe(100)
})

test('another limit on the same item: refused with the remedy, and nothing is drawn', async () => {
  const counter = counterOf('shape')
  await counter.draw('default', '10/1300', 100, 200)
  for (const again of [counter, counterOf('shape')]) {
    await expect(again.draw('default', '20/1300', 100, 200)).rejects.toThrow(StoreConflictError)
    await expect(again.draw('default', '20/1300', 300, 400)).rejects.toThrow(
      'The item "shape:default" is in use with another limit, interval or tolerance.',
    )
  }
  expect(await itemOf('shape:default')).toMatchObject({ n: { N: '100' }, shape: { S: '10/1300' } })
})

test('6 writes that others are before: the draw fails', async () => {
  const counter = counterOf('crowded')
  await counter.draw('k', 's', 100, 200)
  commands = []
  onCommand = (name) => {
    if (name !== 'UpdateItemCommand') return
    throw new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata: {} })
  }
  await expect(counter.draw('k', 's', 101, 200)).rejects.toThrow('none of 6 writes succeeded')
  expect(commands.filter((name) => name === 'UpdateItemCommand')).toHaveLength(6)
  // A counter that is full by then is no failure.
  expect(await counter.draw('k', 's', 101, 100)).toBeUndefined()
})

test('an error of DynamoDB: it is the error of the draw, and the next draw is sent', async () => {
  const counter = counterOf('failing')
  const error = new Error('Rate exceeded.')
  onCommand = () => {
    throw error
  }
  await expect(counter.draw('k', 's', 100, 200)).rejects.toBe(error)
  onCommand = (name) => {
    if (name === 'UpdateItemCommand') throw error
  }
  await expect(counter.draw('k', 's', 100, 200)).rejects.toBe(error)
  onCommand = () => {}
  expect(await counter.draw('k', 's', 100, 200)).toBe(100)
})

test('the table alone: the defaults of the rest', async () => {
  const counter = dynamoCounter(client, { tableName })
  expect(counter).toMatchObject({ toleranceMs: 100, handshakeMs: 150 })
  await counter.draw('k', 's', 100, 200)
  expect(await itemOf('aurora-iam:rate-limit:k')).toMatchObject({ n: { N: '100' } })
  expect(dynamoCounter(client, { tableName, toleranceMs: 0, handshakeMs: 0 })).toMatchObject({
    toleranceMs: 0,
    handshakeMs: 0,
  })
})

test.each([
  ['client', () => dynamoStore({} as never, { tableName })],
  ['client', () => dynamoStore(undefined as never, { tableName })],
  ['options', () => dynamoStore(client, 'rate-limit' as never)],
  ['options', () => dynamoStore(client, null as never)],
  ['tableName', () => dynamoStore(client, {} as never)],
  ['tableName', () => dynamoStore(client, { tableName: '' })],
  ['tableName', () => dynamoStore(client, { tableName: 7 as never })],
  ['prefix', () => dynamoStore(client, { tableName, prefix: '' })],
  ['toleranceMs', () => dynamoStore(client, { tableName, toleranceMs: -1 })],
  ['toleranceMs', () => dynamoStore(client, { tableName, toleranceMs: Number.POSITIVE_INFINITY })],
  ['handshakeMs', () => dynamoStore(client, { tableName, handshakeMs: Number.NaN })],
  ['table', () => dynamoStore(client, { tableName, table: 'x' } as never)],
])('a wrong %s: refused by name', (option, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_RATE_LIMIT_INVALID_OPTION', option }))
})
