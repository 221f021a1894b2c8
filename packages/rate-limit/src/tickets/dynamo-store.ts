import type { DynamoDBClient, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb'
import type { RateLimitStore } from '../limiter-options.ts'
import { invalidOption, ownProperties, refuseUnknownOptions } from '../options.ts'
import { StoreConflictError, type TicketCounter } from '../store.ts'
import { ticketStore } from './ticket-store.ts'

/** The part of a `DynamoDBClient` of `@aws-sdk/client-dynamodb` that is used. */
export interface DynamoClient {
  send(command: never): Promise<unknown>
}

/** Table and clocks of {@link dynamoStore}. */
export interface DynamoStoreOptions {
  /** Name of a table whose partition key is the string `id`, and which has no sort key. */
  tableName: string
  /** Text that the keys of its items begin with. @defaultValue 'aurora-iam:rate-limit' */
  prefix?: string
  /**
   * By how many milliseconds the clocks of two processes may differ. Each millisecond makes a block longer: with 100,
   * and an interval of a second, 77 % of the limit can be used. @defaultValue 100
   */
  toleranceMs?: number
  /**
   * Longest time of an attempt from its permit to the moment when the server counts it: connecting and the TLS
   * handshake. One that takes longer has to wait for another permit. @defaultValue 150
   */
  handshakeMs?: number
}

/**
 * Shares a limit between processes through Amazon DynamoDB, for fleets that have no Redis: one write for each permit.
 * All processes must name the same limit and interval. While DynamoDB fails or throttles, nothing is granted, whatever
 * `onStoreLost` says. The client stays the caller's.
 *
 * @param client - a `DynamoDBClient` of `@aws-sdk/client-dynamodb`, which may call `dynamodb:GetItem` and
 * `dynamodb:UpdateItem` on the table.
 * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION`.
 */
export function dynamoStore(client: DynamoClient, options: DynamoStoreOptions): RateLimitStore {
  return ticketStore(dynamoCounter(client, options))
}

/** Returns the counter of {@link dynamoStore}. */
export function dynamoCounter(client: DynamoClient, options: DynamoStoreOptions): TicketCounter {
  if (typeof (client as Partial<DynamoClient> | undefined)?.send !== 'function') {
    throw invalidOption('client', client, 'a DynamoDBClient of @aws-sdk/client-dynamodb')
  }
  if (typeof options !== 'object' || options === null) {
    throw invalidOption(
      'options',
      options,
      "an object with a `tableName`, such as { tableName: 'rate-limit' }",
    )
  }
  refuseUnknownOptions(options, ['tableName', 'prefix', 'toleranceMs', 'handshakeMs'])
  const {
    tableName,
    prefix = 'aurora-iam:rate-limit',
    toleranceMs = 100,
    handshakeMs = 150,
  } = ownProperties(options)
  for (const [name, value] of Object.entries({ tableName, prefix })) {
    if (typeof value !== 'string' || value === '')
      throw invalidOption(name, value, 'a text that is not empty')
  }
  const table = new TicketTable(client as DynamoDBClient, tableName)
  return {
    toleranceMs,
    handshakeMs,
    draw: (key, shape, atLeast, atMost) => table.draw(`${prefix}:${key}`, shape, atLeast, atMost),
  }
}

/**
 * Processes that start together at an idle counter look again after up to this, so that few of them write without
 * success.
 */
const spreadMs = 100

interface Counter {
  readonly n: number
  readonly shape: string | undefined
}

class TicketTable {
  readonly #client: DynamoDBClient
  readonly #tableName: string
  /** The last number seen under each key, which tells what kind of write is likely to succeed. */
  readonly #last = new Map<string, number>()
  /** Draws of this process that look at a counter which may be behind: one at a time. */
  readonly #looks = new Map<string, Promise<void>>()

  constructor(client: DynamoDBClient, tableName: string) {
    this.#client = client
    this.#tableName = tableName
  }

  async draw(id: string, shape: string, atLeast: number, atMost: number): Promise<number | undefined> {
    for (let tries = 0; tries < 6; tries++) {
      if (this.#isBehind(id, atLeast)) await this.#catchUp(id, shape, atLeast)
      const ticket = await this.#write(id, shape, 'n BETWEEN :from AND :to', {
        update: 'SET n = n + :one',
        numbers: { ':one': 1, ':from': atLeast - 1, ':to': atMost - 1 },
      })
      if (ticket !== undefined) return ticket
      const { n } = await this.#read(id, shape)
      if (n >= atMost) return undefined
    }
    throw new Error('Too many processes draw at once: none of 6 writes succeeded.')
  }

  #isBehind(id: string, atLeast: number): boolean {
    return (this.#last.get(id) ?? 0) < atLeast - 1
  }

  /** Makes sure that the counter has reached `atLeast - 1`, by this process or by another. */
  #catchUp(id: string, shape: string, atLeast: number): Promise<void> {
    const look = this.#looks.get(id) ?? this.#look(id, shape, atLeast).finally(() => this.#looks.delete(id))
    this.#looks.set(id, look)
    return look
  }

  async #look(id: string, shape: string, atLeast: number): Promise<void> {
    await this.#read(id, shape)
    if (!this.#isBehind(id, atLeast)) return
    await new Promise((resolve) => setTimeout(resolve, Math.random() * spreadMs))
    await this.#read(id, shape)
    if (!this.#isBehind(id, atLeast)) return
    await this.#write(id, shape, 'attribute_not_exists(n) OR (shape = :shape AND n < :n)', {
      update: 'SET n = :n, shape = :shape',
      numbers: { ':n': atLeast - 1 },
    })
  }

  async #read(id: string, shape: string): Promise<Counter> {
    const { GetItemCommand } = await loadSdk()
    const place = { TableName: this.#tableName, Key: { id: { S: id } } }
    const { Item } = await this.#client.send(new GetItemCommand({ ...place, ConsistentRead: true }))
    const counter = { n: Number(Item?.n?.N ?? 0), shape: Item?.shape?.S }
    if (counter.shape !== undefined && counter.shape !== shape) {
      throw new StoreConflictError(
        `The item "${id}" is in use with another limit, interval or tolerance. Give all processes the same, or use another \`prefix\`.`,
      )
    }
    this.#last.set(id, counter.n)
    return counter
  }

  /** Returns the number written, or undefined when the condition does not hold. */
  async #write(
    id: string,
    shape: string,
    condition: string,
    { update, numbers }: { update: string; numbers: Record<string, number> },
  ): Promise<number | undefined> {
    const { ConditionalCheckFailedException, UpdateItemCommand } = await loadSdk()
    const values = Object.entries(numbers).map(([name, value]) => [name, { N: `${value}` }])
    const isNext = ':one' in numbers
    const input: UpdateItemCommandInput = {
      TableName: this.#tableName,
      Key: { id: { S: id } },
      UpdateExpression: update,
      ConditionExpression: isNext ? `shape = :shape AND ${condition}` : condition,
      ExpressionAttributeValues: { ...Object.fromEntries(values), ':shape': { S: shape } },
      ReturnValues: 'UPDATED_NEW',
    }
    try {
      const { Attributes } = await this.#client.send(new UpdateItemCommand(input))
      const written = Number(Attributes?.n?.N)
      this.#last.set(id, written)
      return written
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined
      throw error
    }
  }
}

type Sdk = typeof import('@aws-sdk/client-dynamodb')

/**
 * Loads the SDK on first use: it is large and optional. It is imported inside a `try`: elsewhere a bundler fails for
 * all users who have not installed it.
 */
async function loadSdk(): Promise<Sdk> {
  try {
    const sdk: Sdk & { readonly default?: Sdk } = await import('@aws-sdk/client-dynamodb')
    // The module is CommonJS, and a bundle that esbuild splits into ES modules has `default` alone.
    return sdk.GetItemCommand ? sdk : (sdk.default as Sdk)
  } catch (cause) {
    throw new Error(
      'dynamoStore cannot load @aws-sdk/client-dynamodb. Install it beside the client that you pass.',
      {
        cause,
      },
    )
  }
}
