import { Socket } from 'node:net'
import { type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { adapterIam } from '@aurora-iam/core/adapter'
import { type AuroraIamPrismaOptions, auroraIam } from '@aurora-iam/prisma'
import { gateLimiter } from '@aurora-iam/test-support/gate-limiter'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { encodeErr } from '@aurora-iam/wire'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  CLEAR_PASSWORD_WANTED,
  DENIED,
  impostor,
  OK,
  packet,
  takingToken,
  trusted,
} from '../chaos/hostile-scripts.ts'
import { type CertificateName, type HostileServer, startHostileServer } from '../chaos/hostile-server.ts'

const HOST = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
let server: HostileServer

beforeAll(async () => {
  server = await startHostileServer(HOST)
})
beforeEach(() => server.takeSessions())
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(() => server.close())

/** Calls `auroraIam` for a server that is dialled on loopback and verified by its endpoint. */
function start(iamOptions: AuroraIamOptions = {}, options: AuroraIamPrismaOptions = {}) {
  const iam = createAuroraIam({
    credentials: async () => ({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' }),
    ca: server.certificates.ca,
    dial: { host: '127.0.0.1', port: server.port },
    rateLimit: false,
    ...iamOptions,
  })
  return { iam, ...auroraIam({ host: HOST, user: 'app', connectTimeoutMs: 5_000, ...options }, iam) }
}

/** Asks for the token, accepts it, and answers the next packet. */
const accepting = (answer: Buffer) =>
  trusted(async (session) => {
    const response = session.inTls.length
    session.sendPacket(3, CLEAR_PASSWORD_WANTED)
    if (!(await session.hasSent(response + 1))) return
    const token = session.inTls.length
    session.sendPacket(5, OK)
    if (!(await session.hasSent(token + 1))) return
    session.sendPacket(1, answer)
    session.end()
  })

const FAILED = encodeErr({ errno: 1105, sqlState: 'HY000', message: 'the first query fails' })

test('a verified server: it gets the token of its endpoint inside TLS, and the connection counts as opened', async () => {
  server.script = accepting(FAILED)
  const { adapter, status, iam } = start()
  expect(await rejectionOf(adapter.connect())).toMatchObject({
    message: expect.stringContaining('the first query'),
  })
  expect(status()).toMatchObject({ connectionsOpened: 1, connectionsFailed: 0 })
  expect(iam.stats()).toMatchObject({ connectionsOpened: 1, connectionsFailed: 0 })
  const [session] = server.takeSessions()
  expect(session?.inTls.includes(`${HOST}:3306/?`)).toBe(true)
  expect(session?.inTls.includes('app\0')).toBe(true)
  expect(session?.clear.includes('X-Amz')).toBe(false)
})

test('the socket of a connection: TCP_NODELAY and keep-alive', async () => {
  server.script = accepting(FAILED)
  const noDelays = vi.spyOn(Socket.prototype, 'setNoDelay')
  const keepAlives = vi.spyOn(Socket.prototype, 'setKeepAlive')
  await rejectionOf(start().adapter.connect())
  const connects = vi.spyOn(Socket.prototype, 'connect')
  await rejectionOf(start().adapter.connect())
  const sockets = connects.mock.contexts
  expect(sockets).toHaveLength(1)
  const callsOf = ({ mock }: typeof noDelays | typeof keepAlives) =>
    mock.calls.filter((_, call) => sockets.includes(mock.contexts[call] as Socket))
  expect(callsOf(noDelays)).toEqual([[true]])
  expect(callsOf(keepAlives)).toEqual([[true, 30_000]])
})

test.each<CertificateName>(['wrongName', 'expired', 'otherCa', 'selfSigned'])(
  'a server with a certificate of the kind %s: P1011, and it gets no token',
  async (certificate) => {
    server.script = impostor('MySQL', certificate)
    const { adapter, iam } = start()
    expect(await rejectionOf(adapter.connect())).toMatchObject({ code: 'P1011' })
    expect(iam.stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 1 })
    expect(server.takeSessions().map((session) => session.inTls.length)).toEqual([0])
  },
)

test('a rejected token: P1000 with the address that was dialled, and the user', async () => {
  server.script = trusted((session) => {
    session.sendPacket(3, DENIED)
    session.end()
  })
  const { adapter, status } = start()
  expect(await rejectionOf(adapter.connect())).toMatchObject({
    code: 'P1000',
    message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${server.port}.* of app`)),
  })
  expect(status()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 1 })
})

test('a writer check that fails: no connection, and the login counts as failed', async () => {
  server.script = accepting(FAILED)
  const { adapter, iam, status } = start({ requireWriter: true })
  expect(await rejectionOf(adapter.connect())).toMatchObject({
    message: expect.stringContaining('the first query'),
  })
  expect(status()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 1 })
  expect(iam.stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 1 })
})

test('a server that does not finish the login: P1001 after connectTimeoutMs', async () => {
  server.script = trusted(() => {})
  const error = await rejectionOf(start({}, { connectTimeoutMs: 300 }).adapter.connect())
  expect(error).toMatchObject({ code: 'P1001', message: expect.stringContaining('within 300 ms') })
})

const READ_ONLY = encodeErr({
  errno: 1290,
  sqlState: 'HY000',
  message: 'The MySQL server is running with the --read-only option so it cannot execute this statement',
})
const COM_QUIT = 1

/** Encodes the answer to a query: these values of one text column, and OK in place of EOF. */
function rowsOf(...values: string[]): Buffer {
  const texts = (...items: string[]) =>
    Buffer.concat(items.flatMap((item) => [Buffer.of(item.length), Buffer.from(item)]))
  // Character set, length, type of VAR_STRING, flags, decimals and a filler.
  const attributes = Buffer.of(12, 45, 0, 64, 0, 0, 0, 253, 0, 0, 0, 0, 0)
  const column = Buffer.concat([texts('def', '', '', '', 'value', ''), attributes])
  const payloads = [
    Buffer.of(1),
    column,
    ...values.map((value) => texts(value)),
    Buffer.of(0xfe, 0, 0, 2, 0, 0, 0),
  ]
  return Buffer.concat(payloads.map((payload, index) => packet(index + 1, payload)))
}

/** Takes any token and answers each query: the first that contains one of these texts decides, and else OK. */
const serving = (answers: Record<string, Buffer> = {}) =>
  takingToken(async (session) => {
    const known = { VERSION: rowsOf('8.0.39'), ...answers }
    session.sendPacket(5, OK)
    for (let seen = session.inTls.length; await session.hasSent(seen + 1); seen = session.inTls.length) {
      const asked = session.inTls.subarray(seen)
      if (asked[4] === COM_QUIT) return session.end()
      const found = Object.entries(known).find(([text]) => asked.includes(text))
      session.send(found ? found[1] : packet(1, OK))
    }
  })

describe('a connection that is open', () => {
  const update = { sql: 'UPDATE t SET a = 1', args: [], argTypes: [] }

  /** Connects a client to a server that answers so, by the text protocol. */
  async function connect(answers: Record<string, Buffer> = {}, iamOptions: AuroraIamOptions = {}) {
    server.script = serving(answers)
    const client = start(iamOptions, { useTextProtocol: true, connectionLimit: 2 })
    return { ...client, open: await client.adapter.connect() }
  }

  test('1290: every connection to the address of that server is replaced', async () => {
    const { iam, warmUp, open } = await connect({ UPDATE: packet(1, READ_ONLY) })
    await warmUp(2)
    expect(iam.stats().pools).toMatchObject([{ open: 2 }])
    await rejectionOf(open.executeRaw(update))
    await until(() => iam.stats().pools.length === 0)
    await open.queryRaw({ ...update, sql: 'SELECT VERSION()' })
    expect(iam.stats().pools).toMatchObject([{ open: 1 }])
    expect(server.takeSessions()).toHaveLength(3)
    await open.dispose()
  })

  test('a server that vanished: counted as dead', async () => {
    const connects = vi.spyOn(Socket.prototype, 'connect')
    const { iam, warmUp, open } = await connect()
    await warmUp(2)
    const [socket] = connects.mock.contexts as Socket[]
    socket!.destroy(Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' }))
    await until(() => iam.stats().pools[0]?.open === 1)
    expect(iam.stats().pools).toMatchObject([{ retired: { dead: 1 } }])
    await open.dispose()
  })

  test('a client that disconnects while a connection waits for its permit: it leaves the queue', async () => {
    const { limiter } = await gateLimiter(1, 1)
    const { warmUp, open } = await connect({}, { rateLimit: limiter })
    const rejected = rejectionOf(warmUp(2))
    await until(() => limiter.stats().waiting === 1)
    await open.dispose()
    expect(await rejected).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
    await until(() => limiter.stats().waiting === 0)
  })
})

describe('requireWriter', () => {
  const CHECK = 'innodb_read_only'

  test('a writer: the connection opens', async () => {
    server.script = serving({ [CHECK]: rowsOf('0') })
    const { adapter, iam } = start({ requireWriter: true }, { useTextProtocol: true })
    await (await adapter.connect()).dispose()
    expect(iam.stats()).toMatchObject({ connectionsOpened: 1, connectionsFailed: 0 })
  })

  test.each([
    ['a reader', rowsOf('1')],
    ['no row in answer', rowsOf()],
    ['an empty text as the answer', rowsOf('')],
    ['OK in place of the row', packet(1, OK)],
  ])('%s: no connection, and the login counts as failed', async (_what, answer) => {
    server.script = serving({ [CHECK]: answer })
    const { adapter, iam } = start({ requireWriter: true })
    expect(await rejectionOf(adapter.connect())).toMatchObject({ code: 'ERR_AURORA_IAM_NOT_A_WRITER' })
    expect(iam.stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 1 })
  })
})

test('a permit that must be confirmed: the greeting is answered after it', async () => {
  server.script = serving()
  const { adapter, iam } = start({}, { useTextProtocol: true })
  const coordinator = adapterIam(iam)
  const { login } = coordinator
  let confirm = () => {}
  const asked = vi.fn(
    () =>
      new Promise<void>((resolve) => {
        confirm = resolve
      }),
  )
  vi.spyOn(coordinator, 'login').mockImplementation(async (...args) => {
    const attempt = await login.apply(coordinator, args)
    vi.spyOn(attempt, 'confirmPermit').mockImplementation(asked)
    return attempt
  })
  const connecting = adapter.connect()
  await until(() => asked.mock.calls.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 20))
  const [session] = server.takeSessions()
  expect(session?.clear).toHaveLength(0)
  confirm()
  await (await connecting).dispose()
})

test('resumeTimeoutMs above an acquireTimeoutMs of the caller: the error names the shorter one', async () => {
  server.script = () => {}
  const { adapter } = start({ resumeTimeoutMs: 60_000 }, { acquireTimeoutMs: 200 })
  expect(await rejectionOf(adapter.connect())).toMatchObject({
    code: 'ERR_AURORA_IAM_PAUSED',
    option: 'acquireTimeoutMs',
    message: expect.stringContaining('acquireTimeoutMs: 200 ms'),
  })
})

test('a `dial` that fails before any address is known: the message names the endpoint', async () => {
  const dial = () => {
    throw Object.assign(new Error('no tunnel'), { code: 'ECONNREFUSED' })
  }
  expect(await rejectionOf(start({ dial }).adapter.connect())).toMatchObject({
    code: 'P1001',
    message: `Cannot reach the database at ${HOST}:3306: no tunnel`,
  })
})

test('OK, and bytes behind it that mariadb cannot read: no connection, and the login counts as failed', async () => {
  server.script = takingToken((session) =>
    session.send(Buffer.concat([packet(5, OK), packet(6, Buffer.from('more'))])),
  )
  const { adapter, iam } = start()
  expect(await rejectionOf(adapter.connect())).toMatchObject({ code: 'P1001' })
  expect(iam.stats()).toMatchObject({
    connectionsOpened: 0,
    connectionsFailed: 1,
    lastError: { code: 'ECONNRESET' },
  })
})
