import { createAuroraIam } from '@aurora-iam/core'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { READER } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { readReplicas } from '@prisma/extension-read-replicas'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PrismaClient } from './generated/esm/client.ts'
import { auroraIamFor, CLIENTS, clientFor, createTables } from './support.ts'

let aurora: LocalAurora

beforeAll(async () => {
  aurora = await startLocalAurora({ hostnames: [READER], throttle: false })
})

afterAll(() => aurora.close())

beforeEach(() => aurora.log.clear())

describe.each(CLIENTS)('a client of the generator $generator', ({ Client }) => {
  let prisma: PrismaClient

  beforeEach(async () => {
    prisma = new Client({ adapter: auroraIamFor(aurora).adapter })
    await createTables(prisma)
  })

  afterEach(() => prisma.$disconnect())

  test('models: written and read, with every type of Prisma', async () => {
    const published = new Date('1969-07-20T20:17:40.123Z')
    const data = { pages: [1, 2], 'in print': true }
    await prisma.author.create({
      data: { name: 'Žofie 木', books: { create: { title: 'One', price: '12.50', published, data } } },
    })
    const author = await prisma.author.findUniqueOrThrow({
      where: { name: 'Žofie 木' },
      include: { books: true },
    })
    expect(author.books).toHaveLength(1)
    const [book] = author.books
    expect(book).toMatchObject({ title: 'One', published, data, authorId: author.id })
    expect(book?.price?.toFixed(2)).toBe('12.50')
    expect(await prisma.book.aggregate({ _sum: { price: true }, _count: true })).toMatchObject({ _count: 1 })
  })

  test('raw SQL with values: executed', async () => {
    expect(await prisma.$executeRaw`INSERT INTO Author (name) VALUES (${"O'Brien"}), (${'Žofie'})`).toBe(2)
    const rows = await prisma.$queryRaw`SELECT name FROM Author WHERE name LIKE ${"O'%"}`
    expect(rows).toEqual([{ name: "O'Brien" }])
  })

  test('a batch: all or nothing', async () => {
    const create = (name: string) => prisma.author.create({ data: { name } })
    await prisma.$transaction([create('a'), create('b')])
    expect(await rejectionOf(prisma.$transaction([create('c'), create('a')]))).toMatchObject({
      code: 'P2002',
    })
    expect(await prisma.author.count()).toBe(2)
  })

  test('a transaction: committed, or rolled back when its callback throws', async () => {
    await prisma.$transaction(
      async (tx) => {
        await tx.author.create({ data: { name: 'kept' } })
      },
      { isolationLevel: 'Serializable' },
    )
    const change = new Error('changed my mind')
    const taken = prisma.$transaction(async (tx) => {
      await tx.author.create({ data: { name: 'not kept' } })
      throw change
    })
    await expect(taken).rejects.toBe(change)
    expect(await prisma.author.findMany({ select: { name: true } })).toEqual([{ name: 'kept' }])
  })

  test('a nested transaction: a savepoint of the outer one', async () => {
    await prisma.$transaction(async (tx) => {
      await tx.author.create({ data: { name: 'outer' } })
      const inner = tx.$transaction(async (nested) => {
        await nested.author.create({ data: { name: 'inner' } })
        throw new Error('inner')
      })
      await expect(inner).rejects.toThrow('inner')
    })
    expect(await prisma.author.findMany({ select: { name: true } })).toEqual([{ name: 'outer' }])
  })

  test('relations of any depth: joined', async () => {
    await prisma.author.create({
      data: { name: 'a', books: { create: [{ title: 'One' }, { title: 'Two' }] } },
    })
    const books = await prisma.book.findMany({
      where: { author: { books: { some: { title: 'Two' } } } },
      include: { author: { include: { books: { orderBy: { id: 'desc' } } } } },
      orderBy: { id: 'asc' },
    })
    expect(books.map(({ title, author }) => [title, ...author.books.map((book) => book.title)])).toEqual([
      ['One', 'Two', 'One'],
      ['Two', 'Two', 'One'],
    ])
  })

  test('a transaction that raw SQL left open: rolled back before the next caller gets the connection', async () => {
    const one = new Client({ adapter: auroraIamFor(aurora, { connectionLimit: 1 }).adapter })
    await one.$executeRaw`START TRANSACTION`
    await one.$executeRaw`INSERT INTO Author (name) VALUES ('another caller')`
    await one.$disconnect()
    expect(await prisma.author.count()).toBe(1)
  })

  test('$disconnect: every connection closes, and the next query opens new ones', async () => {
    await Promise.all(Array.from({ length: 5 }, () => prisma.author.count()))
    await prisma.$disconnect()
    await expect.poll(() => aurora.openConnections).toBe(0)
    aurora.log.clear()
    expect(await prisma.author.count()).toBe(0)
    expect(aurora.log.logins).toHaveLength(1)
    await prisma.$disconnect()
    await prisma.$connect()
    expect(aurora.log.logins).toHaveLength(2)
  })
})

test('relations that the server may join: the server is asked whether it can', async () => {
  const adapter = await auroraIamFor(aurora).adapter.connect()
  const { rows } = await adapter.queryRaw({ sql: 'SELECT VERSION()', args: [], argTypes: [] })
  const isMariaDb = /mariadb/i.test(String(rows[0]?.[0]))
  expect(adapter.getConnectionInfo?.()).toEqual({ schemaName: 'app', supportsRelationJoins: !isMariaDb })
  await adapter.dispose()
})

test('a new connection: it sets the session variables', async () => {
  const prisma = clientFor(aurora, { sessionVariables: { lock_wait_timeout: 7 } })
  expect(await prisma.$queryRaw`SELECT @@lock_wait_timeout = 7 AS is_set`).toEqual([{ is_set: 1 }])
  await prisma.$disconnect()
})

test('idle connections: closed after idleTimeoutMs', async () => {
  const prisma = clientFor(aurora, { idleTimeoutMs: 30 })
  await prisma.$connect()
  await expect.poll(() => prisma.$iam.status().idle).toBe(0)
  expect(await prisma.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }])
  await prisma.$disconnect()
})

test('$disconnect while a credential provider hangs: it does not wait for it', async () => {
  let now = Date.now()
  let hangs = false
  const credentials = () => (hangs ? new Promise<never>(() => {}) : Promise.resolve(aurora.credentials))
  const iam = createAuroraIam({
    ...aurora.iam,
    credentials,
    credentialsTimeoutMs: 3_600_000,
    clock: () => now,
  })
  const prisma = clientFor(aurora, { idleTimeoutMs: 30 }, iam)
  await prisma.$connect()
  await expect.poll(() => prisma.$iam.status().idle).toBe(0)
  now += 20 * 60_000
  hangs = true
  const query = rejectionOf(prisma.$queryRaw`SELECT 1`)
  await expect.poll(() => prisma.$iam.status().opening).toBe(1)
  await prisma.$disconnect()
  expect(iam.stats()).toMatchObject({ connectionsFailed: 1, lastError: { code: 'ERR_AURORA_IAM_ABORTED' } })
  expect((await query).message).toContain('disconnected before it had a connection')
})

test('several clients with one AuroraIam: they share its tokens and its rate', async () => {
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: false })
  const clients = [clientFor(aurora, {}, iam), clientFor(aurora, {}, iam), clientFor(aurora, {}, iam)]
  await Promise.all(clients.map((client) => client.$queryRaw`SELECT 1`))
  expect(iam.stats()).toMatchObject({ tokensSigned: 1, connectionsOpened: 3 })
  for (const client of clients) await client.$disconnect()
})

test('two clients with one adapter: separate connections', async () => {
  const { adapter, status } = auroraIamFor(aurora)
  const [one, two] = [new CLIENTS[0].Client({ adapter }), new CLIENTS[1].Client({ adapter })]
  await Promise.all([one.$connect(), two.$connect()])
  expect(status()).toMatchObject({ idle: 2, connectionsOpened: 2 })
  await one.$disconnect()
  expect(await two.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }])
  expect(status()).toMatchObject({ idle: 1 })
  await two.$disconnect()
})

test('@prisma/extension-read-replicas: writes go to one client and reads to the other, each with its own tokens', async () => {
  const { Client } = CLIENTS[0]
  const [writer, reader] = [
    auroraIamFor(aurora),
    auroraIamFor(aurora, {}, { ...aurora.iam, hostname: READER, rateLimit: false }),
  ]
  const replica = new Client({ adapter: reader.adapter })
  const prisma = new Client({ adapter: writer.adapter })
    .$extends(writer.extension())
    .$extends(readReplicas({ replicas: [replica] }))
  await createTables(prisma)
  await prisma.author.create({ data: { name: 'a' } })
  expect(await prisma.author.count()).toBe(1)
  expect(await prisma.$transaction((tx) => tx.author.count())).toBe(1)
  expect(prisma.$iam.status()).toMatchObject({ connectionsOpened: 1 })
  expect(reader.status()).toMatchObject({ connectionsOpened: 1 })
  expect(new Set(aurora.log.logins.map(({ hostname }) => hostname))).toEqual(
    new Set([aurora.hostname, READER]),
  )
  await prisma.$disconnect()
  await expect.poll(() => aurora.openConnections).toBe(0)
})
