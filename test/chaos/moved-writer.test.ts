import { createAuroraIam } from '@aurora-iam/core'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until, untilDone } from '@aurora-iam/test-support/until'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AdapterHarness, Client } from '../conformance/harness.ts'
import { ADAPTERS, ON_MARIADB } from './adapters.ts'
import { answerNames } from './name-server.ts'

const POOL_SIZE = 5

let aurora: LocalAurora
/** Where the name of the writer endpoint leads now. */
let address: string
const clients: Client[] = []

beforeAll(async () => {
  aurora = await startLocalAurora({ throttle: false, readerHost: '127.0.0.2' })
})

afterAll(() => aurora.close())

beforeEach(() => {
  // Knex prints each connection that failed.
  vi.spyOn(console, 'log').mockImplementation(() => {})
  address = aurora.writer.host
  answerNames((name) => (name === aurora.hostname ? address : undefined))
})

afterEach(async () => {
  await Promise.allSettled(clients.splice(0).map((client) => client.close()))
  vi.restoreAllMocks()
})

/** Opens a pool of {@link POOL_SIZE} connections to the name of the writer endpoint. */
async function open(harness: AdapterHarness) {
  const { hostname: host, port, database, region, credentials, ca } = aurora
  const rateLimit = createRateLimiter({ limit: 1_000 })
  const iam = createAuroraIam({
    region,
    credentials,
    ca,
    rateLimit,
    watchEndpointMs: 1_000,
    retryRejectedLogins: true,
  })
  const place = { host, port, user: 'app', database, connectionLimit: POOL_SIZE }
  const settings = harness.options(place, iam)
  const client = await (harness.openManaged?.(settings, iam) ?? harness.open(settings))
  clients.push(client)
  await serverIds(client)
  return { client, iam, pool: () => iam.stats().pools[0] }
}

/** Returns the id of the server of each connection of the pool. */
async function serverIds(client: Client): Promise<number[]> {
  const held = await Promise.all(Array.from({ length: POOL_SIZE }, () => client.hold()))
  try {
    const rows = await Promise.all(held.map(({ query }) => query('SELECT @@server_id AS id')))
    return rows.map(([row]) => Number(row?.id))
  } finally {
    await Promise.all(held.map((connection) => connection.release()))
  }
}

describe.each(ADAPTERS)('the writer moves under a pool of $name', (harness) => {
  test('failover, the old writer goes on as a reader: the error is unchanged, and no login reaches the old writer', async () => {
    const { client, iam, pool } = await open(harness)
    await client.query('CREATE OR REPLACE TABLE note (id INT)')
    const before = await serverIds(client)
    await aurora.failover({ keepConnections: true })
    const opened = iam.stats().connectionsOpened
    const error = (await rejectionOf(client.query('INSERT INTO note VALUES (1)'))) as Error
    expect(error.message).toContain('--read-only option so it cannot execute this statement')
    const { retired, generation } = pool() ?? {}
    // A pool without open connections has no figures.
    if (retired)
      expect({ retired: retired['read-only'], generation }).toEqual({ retired: POOL_SIZE, generation: 1 })
    // The name still leads to the old writer: a new connection waits.
    const inserted = client.query('INSERT INTO note VALUES (2)')
    await until(() => (pool()?.waiting ?? 0) > 0)
    expect(iam.stats().connectionsOpened).toBe(opened)
    address = aurora.writer.host
    await inserted
    const after = await serverIds(client)
    expect(new Set(after).size).toBe(1)
    expect(after).not.toContain(before[0])
    expect(pool()).toMatchObject({
      open: POOL_SIZE,
      retiring: 0,
      generation: 1,
      retired: { 'read-only': POOL_SIZE },
      replaced: POOL_SIZE,
    })
  })

  test('a failover back a moment later: the old writer gets logins again', async () => {
    const { client } = await open(harness)
    await client.query('CREATE OR REPLACE TABLE note (id INT)')
    const before = await serverIds(client)
    const insert = () => client.query('INSERT INTO note VALUES (1)')
    for (let failovers = 0; failovers < 2; failovers++) {
      await aurora.failover({ keepConnections: true })
      await rejectionOf(insert())
      address = aurora.writer.host
      await untilDone(insert)
    }
    expect(await serverIds(client)).toEqual(before)
  })

  test('failover without a write: the watch finds the new address, and every connection is replaced', async () => {
    const { client, iam, pool } = await open(harness)
    const [before] = await serverIds(client)
    await aurora.failover({ keepConnections: true })
    address = aurora.writer.host
    await until(() => pool() === undefined || pool()!.retired.moved > 0)
    expect(await serverIds(client)).not.toContain(before)
    expect(pool()).toMatchObject({ open: POOL_SIZE, retired: { moved: POOL_SIZE }, replaced: POOL_SIZE })
    expect(iam.stats().connectionsFailed).toBe(0)
  })

  test('a failover before COMMIT: it is answered with 1290, and nothing was committed', async () => {
    const { client, pool } = await open(harness)
    await client.query('CREATE OR REPLACE TABLE draft (id INT)')
    const held = await client.hold()
    if (!held.transaction) await held.query('START TRANSACTION')
    await held.query('INSERT INTO draft VALUES (1)')
    await aurora.failover({ keepConnections: true })
    const error = await rejectionOf(held.transaction?.commit() ?? held.query('COMMIT'))
    expect(error).toMatchObject(
      harness === ON_MARIADB
        ? { name: 'DriverAdapterError', cause: { originalCode: '1290' } }
        : { errno: 1290, code: 'ER_OPTION_PREVENTS_STATEMENT' },
    )
    await (held.transaction?.rollback() ?? held.query('ROLLBACK'))
    await held.release()
    address = aurora.writer.host
    expect(await client.query('SELECT * FROM draft')).toEqual([])
    expect(pool()).toMatchObject({ retired: { 'read-only': POOL_SIZE } })
  })

  test('a failover during a transaction: its connection is not cut, and is replaced afterwards', async () => {
    const { client, pool } = await open(harness)
    const held = await client.hold()
    const [row] = await held.query('SELECT CONNECTION_ID() AS id')
    await aurora.failover({ keepConnections: true })
    address = aurora.writer.host
    await until(() => pool()!.retired.moved === POOL_SIZE)
    expect(await held.query('SELECT CONNECTION_ID() AS id')).toEqual([row])
    expect(pool()).toMatchObject({ retiring: expect.any(Number) })
    await held.release()
    // Knex closes a retired connection when a query asks for one.
    await serverIds(client)
    await until(() => (pool()?.retiring ?? 0) === 0)
  })
})

test('a blue/green switchover under pools of all adapters: names, address and certificate change, and all write again', async () => {
  const pools = await Promise.all(ADAPTERS.map(open))
  await pools[0]!.client.query('CREATE OR REPLACE TABLE switched (id INT)')
  const [before] = await serverIds(pools[0]!.client)
  await aurora.switchover({ windowMs: 200 })
  address = aurora.writer.host
  for (const { client } of pools) {
    await untilDone(() => client.query('INSERT INTO switched VALUES (1)'))
    const after = await serverIds(client)
    expect(new Set(after).size).toBe(1)
    expect(after).not.toContain(before)
  }
})
