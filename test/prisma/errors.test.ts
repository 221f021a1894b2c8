import { createServer, type Server } from 'node:net'
import { AuroraIamError } from '@aurora-iam/core'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { auroraIamFor, clientFor, createTables, lockTable, untilRunning } from './support.ts'

const aurora = await localAurora()
const open: Array<ReturnType<typeof clientFor>> = []

/** Opens a client that is closed after the test. */
function connect(...args: Parameters<typeof clientFor>) {
  const prisma = clientFor(...args)
  open.push(prisma)
  return prisma
}

beforeAll(async () => {
  await createTables(connect(aurora))
})

afterEach(async () => {
  aurora.faults.clear()
  for (const prisma of open.splice(0)) await prisma.$disconnect()
})

const OF_PRISMA = 'PrismaClientKnownRequestError'
const UNDERNEATH = 'PrismaDriverError'

type Way = readonly [
  way: string,
  run: (prisma: ReturnType<typeof connect>) => Promise<unknown>,
  name: typeof OF_PRISMA | typeof UNDERNEATH,
]

/** Every way in which a client that is connected comes to need another connection, and the class of its errors. */
const QUERIES: readonly Way[] = [
  ['a query', async (prisma) => prisma.author.count(), OF_PRISMA],
  ['raw SQL', async (prisma) => prisma.$queryRaw`SELECT 1`, OF_PRISMA],
  ['raw SQL that writes', async (prisma) => prisma.$executeRaw`DO 1`, OF_PRISMA],
  ['a transaction', (prisma) => prisma.$transaction((tx) => tx.author.count()), UNDERNEATH],
  ['a batch', async (prisma) => prisma.$transaction([prisma.author.count()]), OF_PRISMA],
]

/** Every way in which a client comes to need its first connection. */
const WAYS: readonly Way[] = [['$connect()', (prisma) => prisma.$connect(), UNDERNEATH], ...QUERIES]

describe.each([
  ['a bad token', 'P1000', { refuse: 'InvalidToken' }, 'AuthenticationFailed'],
  ['a certificate of another name', 'P1011', { certificate: 'wrong-name' }, 'TlsConnectionError'],
  ['a certificate that has expired', 'P1011', { certificate: 'expired' }, 'TlsConnectionError'],
  ['a server without TLS', 'P1011', { tls: 'absent' }, 'TlsConnectionError'],
  ['too many connections', 'P2037', { error: { errno: 1040, message: 'Too many' } }, 'TooManyConnections'],
  ['no such database', 'P1003', { error: { errno: 1049, message: 'Unknown' } }, 'DatabaseDoesNotExist'],
] as const)('%s is %s', (_what, code, fault, kind) => {
  test.each(WAYS)('%s: the error and its code', async (_way, run, name) => {
    aurora.faults.set(fault)
    const error = await rejectionOf(run(connect(aurora)))
    expect(error).toMatchObject({ code, name, meta: { driverAdapterError: { cause: { kind } } } })
    // One attempt: nothing is repeated that cannot come out better.
    expect(aurora.log.connections).toBe(1)
  })

  test.each(QUERIES)('%s, not on the first connection: the error and its code', async (_way, run, name) => {
    const prisma = connect(aurora)
    await prisma.$transaction(async () => {
      aurora.faults.set(fault)
      const error = await rejectionOf(run(prisma))
      expect(error).toMatchObject({ code, name, meta: { driverAdapterError: { cause: { kind } } } })
    })
  })
})

test('a rejected login: the error names the user', async () => {
  aurora.faults.set({ error: { errno: 1045, message: 'No' } })
  const error = await rejectionOf(connect(aurora).author.count())
  expect(error).toMatchObject({
    message: expect.stringMatching(/rejected the login of app: No$/),
    meta: { driverAdapterError: { cause: { user: 'app' } } },
  })
})

test('a rejected new token: the error lists what to check', async () => {
  aurora.faults.set({ refuse: 'InvalidToken' })
  const error = await rejectionOf(connect(aurora).author.count())
  const cause = { code: 'ERR_AURORA_IAM_ACCESS_DENIED', message: expect.stringContaining('rds-db:connect') }
  expect(error).toMatchObject({ meta: { driverAdapterError: { driverError: { errno: 1045, cause } } } })
})

describe('a server that is not there is P1001', () => {
  test.each(WAYS)('%s: P1001', async (_way, run) => {
    const port = await portOfNobody()
    const prisma = connect(aurora, { port }, { ...aurora.iam, port: aurora.port, rateLimit: false })
    const error = await rejectionOf(run(prisma))
    expect(error).toMatchObject({ code: 'P1001', message: expect.stringContaining(`127.0.0.1:${port}`) })
  })
})

test('a server that accepts the connection and sends nothing: P1001 after connectTimeoutMs', async () => {
  aurora.faults.set({ hang: 'before-greeting' })
  const error = await rejectionOf(connect(aurora, { connectTimeoutMs: 100 }).$connect())
  expect(error).toMatchObject({ code: 'P1001' })
})

describe('all connections in use', () => {
  test('all connections in use: P2024 after acquireTimeoutMs, and the message reports what they do', async () => {
    // Long enough for the first connection on a busy machine: the time-out includes it.
    const prisma = connect(aurora, { connectionLimit: 1, acquireTimeoutMs: 1_000 })
    await prisma.$transaction(
      async () => {
        const error = await rejectionOf(prisma.author.count())
        expect(error).toMatchObject({ code: 'P2024', meta: { connectionLimit: 1, acquireTimeoutMs: 1_000 } })
        expect(error.message).toContain('1 of 1 (connectionLimit) are in use')
        expect(await rejectionOf(Promise.resolve(prisma.$queryRaw`SELECT 1`))).toMatchObject({
          code: 'P2024',
        })
        expect(await rejectionOf(prisma.$transaction(async () => {}))).toMatchObject({ code: 'P2024' })
      },
      { timeout: 20_000 },
    )
    expect(await prisma.author.count()).toBe(0)
  })

  test('all connections in use and a shorter maxWait: P2028 for a transaction', async () => {
    const prisma = connect(aurora, { connectionLimit: 1 })
    await prisma.$transaction(async () => {
      const error = await rejectionOf(prisma.$transaction(async () => {}, { maxWait: 50 }))
      expect(error).toMatchObject({ code: 'P2028' })
    })
  })
})

describe('a connection that is lost', () => {
  test('the connection is lost during raw SQL: P1017, in meta as well', async () => {
    const prisma = connect(aurora)
    const sleeping = rejectionOf(prisma.$queryRaw`SELECT SLEEP(10)`.then())
    await untilRunning(aurora, 'SLEEP(10)')
    aurora.faults.dropConnections()
    const meta = { driverAdapterError: { cause: { kind: 'ConnectionClosed' } } }
    expect(await sleeping).toMatchObject({ code: 'P1017', meta })
  })

  test('the connection is lost during a query: P1017', async () => {
    const prisma = connect(aurora)
    await lockTable(aurora, 'Author')
    const counting = rejectionOf(prisma.author.count().then())
    await untilRunning(aurora, 'COUNT(*)')
    aurora.faults.dropConnections()
    expect(await counting).toMatchObject({ code: 'P1017' })
  })

  test('the connection is lost in a transaction, and at its COMMIT: P1017', async () => {
    const prisma = connect(aurora)
    const cut = async () => {
      aurora.faults.dropConnections()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const inside = prisma.$transaction(async (tx) => {
      await cut()
      await tx.author.count()
    })
    expect(await rejectionOf(inside)).toMatchObject({ code: 'P1017' })
    const atCommit = prisma.$transaction(async (tx) => {
      await tx.author.create({ data: { name: 'of unknown name' } })
      await cut()
    })
    expect(await rejectionOf(atCommit)).toMatchObject({ code: 'P1017', name: UNDERNEATH })
    expect(await prisma.author.count()).toBe(0)
  })
})

test('an AuroraIamError: its code is kept, and what Prisma would drop is in meta', async () => {
  const outage = new Error('the role cannot be assumed')
  const credentials = async () => {
    throw outage
  }
  const prisma = connect(aurora, {}, { ...aurora.iam, credentials })
  for (const [, run] of WAYS) {
    const error = await rejectionOf(run(prisma))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE' })
    expect(error.meta?.auroraIamError).toBeInstanceOf(AuroraIamError)
    expect(error.meta?.auroraIamError).toMatchObject({ retryable: true, cause: outage })
  }
})

test('no permit in time: an error with the wait that was necessary', async () => {
  const rateLimit = createRateLimiter({ limit: 1, intervalMs: 60_000 })
  await rateLimit.acquire()
  const prisma = connect(aurora, {}, { ...aurora.iam, rateLimit, maxWaitMs: 50 })
  const error = await rejectionOf(prisma.author.count())
  expect(error).toMatchObject({
    code: 'ERR_AURORA_IAM_RATE_LIMITED',
    meta: { auroraIamError: { retryAfterMs: expect.any(Number) } },
  })
  expect(aurora.log.connections).toBe(0)
})

test('any error: it does not show the token', async () => {
  aurora.faults.set({ refuse: 'InvalidToken' })
  const { adapter, status } = auroraIamFor(aurora)
  const error = await rejectionOf(adapter.connect())
  const shown = JSON.stringify([error, error.message, error.stack, status()])
  expect(shown).not.toMatch(/X-Amz|Signature/)
})

async function portOfNobody(): Promise<number> {
  const server: Server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
