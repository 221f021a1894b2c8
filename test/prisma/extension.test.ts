import { type AuroraIamExtensionOptions, type AuroraIamStatus, auroraIam } from '@aurora-iam/prisma'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import type { Author, Book } from './generated/esm/client.ts'
import { auroraIamFor, CLIENTS, createTables, lockTable, untilRunning } from './support.ts'

const aurora = await localAurora()
const open: Array<{ $disconnect(): Promise<void> }> = []

function connect(
  options?: AuroraIamExtensionOptions,
  Client = CLIENTS[0].Client as (typeof CLIENTS)[number]['Client'],
) {
  const { adapter, transactionOptions, extension } = auroraIamFor(aurora)
  const prisma = new Client({ adapter, transactionOptions }).$extends(extension(options))
  open.push(prisma)
  return prisma
}

beforeEach(async () => {
  await createTables(connect())
})

afterEach(async () => {
  for (const prisma of open.splice(0)) await prisma.$disconnect()
})

describe('$iam.status()', () => {
  test.each(CLIENTS)('the status: connections, waits and counts, with $generator', async ({ Client }) => {
    const prisma = connect({}, Client)
    expect(prisma.$iam.status()).toEqual({
      active: 0,
      idle: 0,
      opening: 0,
      waitingForPermit: 0,
      queued: 0,
      connectionsOpened: 0,
      connectionsFailed: 0,
      lastError: undefined,
      tokensSigned: 0,
    })
    await prisma.$connect()
    expect(prisma.$iam.status()).toMatchObject({ active: 0, idle: 1, connectionsOpened: 1, tokensSigned: 1 })
    await prisma.$disconnect()
    expect(prisma.$iam.status()).toMatchObject({ idle: 0, connectionsOpened: 1 })
    aurora.faults.set({ refuse: 'InvalidToken' })
    await rejectionOf(prisma.$connect())
    aurora.faults.clear()
    expect(prisma.$iam.status()).toMatchObject({
      connectionsFailed: expect.any(Number),
      lastError: {
        code: 'ER_ACCESS_DENIED_ERROR',
        message: expect.stringContaining('1045'),
        at: expect.any(Date),
      },
    })
  })

  test('$iam: present in transactions and after other extensions', async () => {
    const prisma = connect().$extends({ client: { $hello: () => 'hello' } })
    await prisma.$transaction(async (tx) => {
      expect(tx.$iam.status()).toMatchObject({ active: 1 })
      expect(tx.$hello()).toBe('hello')
    })
    expect(prisma.$iam.status()).toMatchObject({ active: 0, idle: 1 })
  })
})

describe('retryReads', () => {
  /** Returns how `work` ends when the connections are lost while it reads the locked table. */
  async function whileLost<T>(work: () => Promise<T>, part: string): Promise<T> {
    await lockTable(aurora, 'Author')
    const outcome = work().then()
    outcome.catch(() => {})
    await untilRunning(aurora, part)
    aurora.faults.dropConnections()
    return outcome
  }

  test('a read of a model whose connection was lost: repeated', async () => {
    const prisma = connect({ retryReads: true })
    await prisma.author.create({ data: { name: 'a', books: { create: { title: 'One' } } } })
    expect(await whileLost(() => prisma.author.count(), 'COUNT(*)')).toBe(1)
    const find = () => prisma.author.findMany({ include: { books: true } })
    expect(await whileLost(find, '`name`')).toMatchObject([{ name: 'a', books: [{ title: 'One' }] }])
    const alone = async () => (await prisma.$transaction([prisma.author.count()]))[0]
    expect(await whileLost(alone, 'COUNT(*)')).toBe(1)
    const both = () => Promise.all([1, 2].map((id) => prisma.author.findUnique({ where: { id } })))
    expect(await whileLost(both, '`name`')).toMatchObject([{ name: 'a' }, null])
  })

  test('no option: no retry', async () => {
    const prisma = connect()
    expect(await rejectionOf(whileLost(() => prisma.author.count(), 'COUNT(*)'))).toMatchObject({
      code: 'P1017',
    })
  })

  test.each([
    [
      'a transaction',
      (prisma: Connected) => prisma.$transaction((tx) => tx.author.count()),
      'COUNT(*)',
      'P1017',
    ],
    [
      'a batch',
      async (prisma: Connected) => prisma.$transaction([prisma.author.count(), prisma.author.count()]),
      'COUNT(*)',
      'P1017',
    ],
    [
      'raw SQL',
      async (prisma: Connected) => prisma.$queryRaw`SELECT COUNT(*) FROM Author`,
      'COUNT(*)',
      'P1017',
    ],
    ['a write', async (prisma: Connected) => prisma.author.deleteMany(), 'DELETE', 'P1017'],
    ['an upsert', async (prisma: Connected) => prisma.author.upsert(UPSERT), 'Author', 'P1017'],
  ] as const)('%s: not repeated', async (_what, run, part, code) => {
    const prisma = connect({ retryReads: true })
    const work = async () => run(prisma)
    expect(await rejectionOf(whileLost<unknown>(work, part))).toMatchObject({ code })
  })

  test('a read that was lost twice: repeated once, and only what was lost', async () => {
    const prisma = connect({ retryReads: true })
    await prisma.$disconnect()
    aurora.faults.set({ refuse: 'NotAuthorized' })
    const attempts = aurora.log.connections
    await rejectionOf(prisma.author.count().then())
    aurora.faults.clear()
    expect(aurora.log.connections).toBe(attempts + 1)
  })

  test.each([
    [{ retryRead: true }, 'ERR_AURORA_IAM_UNKNOWN_OPTION', /^retryRead: .*Known: retryReads/],
    [
      { retryReads: 'yes' },
      'ERR_AURORA_IAM_INVALID_OPTION',
      /^retryReads: expected true or false, got a string of 3 characters/,
    ],
  ])('the options %o: refused', (options, code, message) => {
    const { extension } = auroraIamFor(aurora)
    expect(() => extension(options as object)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    )
  })
})

const UPSERT = { where: { name: 'a' }, create: { name: 'a' }, update: { name: 'b' } }
type Connected = ReturnType<typeof connect>

describe('types', () => {
  const { adapter, transactionOptions, extension } = auroraIam({
    host: 'x.cluster-abcdefghijkl.us-east-1.rds.amazonaws.com',
    user: 'app',
    database: 'app',
  })
  const prisma = new CLIENTS[0].Client({ adapter, transactionOptions }).$extends(
    extension({ retryReads: true }),
  )

  test('status(): typed on the client and in a transaction', () => {
    expectTypeOf(prisma.$iam.status).returns.toEqualTypeOf<AuroraIamStatus>()
    const inside = () => prisma.$transaction(async (tx) => tx.$iam.status())
    expectTypeOf(inside).returns.resolves.toEqualTypeOf<AuroraIamStatus>()
    // @ts-expect-error: no such member
    expect(prisma.$iam.stats).toBeUndefined()
  })

  test('results: their types stay exact', () => {
    const some = () => prisma.author.findMany({ select: { name: true } })
    const deep = () => prisma.author.findFirst({ include: { books: true } })
    const counted = () => prisma.book.count()
    const batch = () => prisma.$transaction([prisma.author.findMany(), prisma.book.count()])
    expectTypeOf(some).returns.resolves.toEqualTypeOf<Array<{ name: string }>>()
    expectTypeOf(deep).returns.resolves.toEqualTypeOf<(Author & { books: Book[] }) | null>()
    expectTypeOf(counted).returns.resolves.toEqualTypeOf<number>()
    expectTypeOf(batch).returns.resolves.toEqualTypeOf<[Author[], number]>()
    // @ts-expect-error: no such field
    const wrong = () => prisma.author.findMany({ select: { age: true } })
    expect(wrong).toBeTypeOf('function')
  })
})
