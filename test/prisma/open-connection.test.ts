import { createAuroraIam } from '@aurora-iam/core'
import { auroraIam } from '@aurora-iam/prisma'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { encodeErr } from '@aurora-iam/wire'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { CLEAR_PASSWORD_WANTED, DENIED, impostor, OK, trusted } from '../chaos/hostile-scripts.ts'
import { type CertificateName, type HostileServer, startHostileServer } from '../chaos/hostile-server.ts'

const HOST = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
let server: HostileServer

beforeAll(async () => {
  server = await startHostileServer(HOST)
})
beforeEach(() => server.takeSessions())
afterAll(() => server.close())

/** Calls `auroraIam` for a server that is dialled on loopback and verified by its endpoint. */
function start(options: { requireWriter?: boolean; connectTimeoutMs?: number } = {}) {
  const { connectTimeoutMs = 5_000, ...more } = options
  const iam = createAuroraIam({
    credentials: async () => ({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' }),
    ca: server.certificates.ca,
    dial: { host: '127.0.0.1', port: server.port },
    rateLimit: false,
    ...more,
  })
  return { iam, ...auroraIam({ host: HOST, user: 'app', connectTimeoutMs }, iam) }
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
  expect(session?.clear.includes('X-Amz')).toBe(false)
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
  const error = await rejectionOf(start({ connectTimeoutMs: 300 }).adapter.connect())
  expect(error).toMatchObject({ code: 'P1001', message: expect.stringContaining('within 300 ms') })
})
