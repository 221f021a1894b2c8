import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { adapterIam } from '@aurora-iam/core/adapter'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { startProxy } from '@aurora-iam/test-support/proxy'
import { untilDone } from '@aurora-iam/test-support/until'
import {
  Capability,
  encodeHandshakeResponse,
  encodePacket,
  PacketChannel,
  readGreeting,
} from '@aurora-iam/wire'
import { createConnection as connectMariadb } from 'mariadb'
import type { RowDataPacket } from 'mysql2'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { connect, gatewayTo, PASSWORD, refusal } from './support.ts'

const aurora = await localAurora()

const value = async (connection: Awaited<ReturnType<typeof connect>>, sql: string, values?: unknown[]) =>
  Object.values(((await connection.query(sql, values)) as RowDataPacket[][])[0]?.[0] ?? {})[0]

test('a client with the password: a session of the Aurora user, by a token over verified TLS', async () => {
  const { port, events } = await gatewayTo(aurora)
  const connection = await connect(port)
  expect(await value(connection, 'SELECT user()')).toBe('app@localhost')
  expect(await value(connection, 'SELECT database()')).toBe('app')
  await connection.end()
  expect(aurora.log.logins).toHaveLength(1)
  await untilDone(() => expect(events.map(({ type }) => type)).toEqual(['connect', 'login', 'close']))
})

test('statements of every kind pass: prepared, several at once, long results', async () => {
  const { port } = await gatewayTo(aurora)
  const connection = await connect(port, { multipleStatements: true })
  const [prepared] = (await connection.execute('SELECT ? + 1 AS n', [41])) as unknown as [[{ n: number }]]
  expect(prepared[0].n).toBe(42)
  expect((await connection.query('SELECT 1; SELECT 2'))[0]).toHaveLength(2)
  const long = 'x'.repeat(5_000_000)
  expect(await value(connection, 'SELECT ?', [long])).toBe(long)
})

test('the mariadb connector: it logs in too', async () => {
  const { port } = await gatewayTo(aurora)
  const connection = await connectMariadb({ host: '127.0.0.1', port, user: 'app', password: PASSWORD })
  expect(await connection.query('SELECT 1 AS one')).toMatchObject([{ one: 1 }])
  await connection.end()
})

test('KILL QUERY with the connection id of the greeting: it ends the query of that session', async () => {
  const { port } = await gatewayTo(aurora)
  const [sleeper, killer] = [await connect(port), await connect(port)]
  expect(await value(sleeper, 'SELECT CONNECTION_ID()')).toBe(sleeper.threadId)
  const slept = sleeper.query('SELECT SLEEP(60)').catch((error: Error) => error)
  await untilDone(async () => {
    const [rows] = (await killer.query('SHOW PROCESSLIST')) as unknown as [{ Info: string | null }[]]
    expect(rows.some(({ Info }) => Info?.includes('SLEEP'))).toBe(true)
  })
  await killer.query(`KILL QUERY ${sleeper.threadId}`)
  expect(await slept).toBeDefined()
})

test('a client that is lost while its statement runs: the connection to the database ends without a TLS alert', async () => {
  const afterLoss: Buffer[] = []
  let isLost = false
  await using network = await startProxy(aurora.port, {
    said: (bytes, onto, isAnswer) => {
      if (isLost && !isAnswer) afterLoss.push(bytes)
      onto.write(bytes)
    },
  })
  const { port, events } = await gatewayTo(aurora, {}, { dial: { host: '127.0.0.1', port: network.port } })
  const [lost, other] = [await connect(port), await connect(port)]
  lost.query('SELECT SLEEP(60)').catch(() => {})
  await untilDone(async () => {
    const [rows] = (await other.query('SHOW PROCESSLIST')) as unknown as [{ Info: string | null }[]]
    expect(rows.some(({ Info }) => Info?.includes('SLEEP'))).toBe(true)
  })
  isLost = true
  lost.destroy()
  await untilDone(() => expect(events.map(({ type }) => type)).toContain('close'))
  // The server would take unread bytes for a sign that its client is there.
  expect(Buffer.concat(afterLoss)).toHaveLength(0)
})

test('COM_CHANGE_USER: the client proves its password again, and a token logs the session in again', async () => {
  const { port } = await gatewayTo(aurora)
  const connection = await connect(port)
  await connection.query('SET @mark = 1')
  await connection.changeUser({ user: 'app', password: PASSWORD, database: 'app' })
  expect(await value(connection, 'SELECT @mark')).toBeNull()
  expect(aurora.log.logins).toHaveLength(1)
  expect(aurora.log.fingerprints).toHaveLength(1)
  const error = await connection.changeUser({ user: 'app', password: 'wrong' }).catch((reason) => reason)
  expect(error).toMatchObject({ errno: 1045 })
})

describe('a client that is rejected gets 1045, and no token goes out', () => {
  test.each([
    ['a wrong password', { password: 'wrong' }],
    ['no password', { password: '' }],
    ['another user', { user: 'root' }],
  ])('%s: rejected', async (_what, options) => {
    const { port, events } = await gatewayTo(aurora)
    expect(await refusal(port, options)).toMatchObject({ errno: 1045, sqlState: '28000' })
    expect(aurora.log.tokensReceived).toBe(0)
    expect(events).toContainEqual(expect.objectContaining({ type: 'rejected', isAccessDenied: true }))
    expect(JSON.stringify(events)).not.toContain(PASSWORD)
  })

  test('many of them: the database sees one connection, and a right password is not kept waiting', async () => {
    const { port } = await gatewayTo(aurora)
    for (let i = 0; i < 4; i += 1) await refusal(port, { password: 'wrong' })
    await connect(port)
    expect(aurora.log.connections).toBe(1)
  })
})

describe('no session from the database', () => {
  test('the database rejects the token: the error of the database', async () => {
    const { port, events } = await gatewayTo(aurora)
    aurora.faults.set({ refuse: 'NotAuthorized' })
    const error = await refusal(port)
    expect(error).toMatchObject({ errno: 1045 })
    expect(error.message).toMatch(/^Access denied for user 'app'@/)
    expect(events).toContainEqual(expect.objectContaining({ type: 'failed' }))
  })

  test('the database has too many connections: the error of the database', async () => {
    const { port } = await gatewayTo(aurora)
    aurora.faults.set({ error: { errno: 1040, message: 'Too many connections' } })
    expect(await refusal(port)).toMatchObject({ errno: 1040, message: 'Too many connections' })
  })

  test('the database cannot be reached: 1105 with the code of the network', async () => {
    const { port } = await gatewayTo(aurora, {}, { dial: { host: '127.0.0.1', port: 1 } })
    const error = await refusal(port)
    expect(error.message).toBe('aurora-iam: the database cannot be reached (ECONNREFUSED)')
  })

  test('the user has a password or does not exist: 1105 says that no token was asked for', async () => {
    const { port } = await gatewayTo(aurora, {
      target: adapterIam(aurora.iam).resolve({ host: aurora.host, port: aurora.port, user: 'ghost' }),
    })
    const error = await refusal(port)
    expect(error.message).toBe(
      'aurora-iam: no login with a token is possible: the server asks for an authentication plugin that is ' +
        'not permitted here. Run aurora-iam doctor with the same options.',
    )
    expect(aurora.log.tokensReceived).toBe(0)
  })

  test.each([
    ['other-ca', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['wrong-name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['expired', 'CERT_HAS_EXPIRED'],
    ['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ] as const)(
    'its certificate is not to be trusted (%s): 1105 with the reason, and no token went out',
    async (certificate, code) => {
      const { port } = await gatewayTo(aurora)
      aurora.faults.set({ certificate })
      const error = await refusal(port)
      expect(error).toMatchObject({ errno: 1105 })
      expect(error.message).toContain(`certificate of the database is not accepted (${code})`)
      expect(aurora.log.tokensReceived).toBe(0)
    },
  )

  test('credentials are lost: open sessions go on, new ones get the reason, and recovery needs nothing', async () => {
    let isLost = false
    const credentials = async () => {
      if (isLost) throw new Error('the metadata service is away')
      return { ...aurora.credentials, expiration: new Date(Date.now() + 60_000) }
    }
    let now = Date.now()
    const { port } = await gatewayTo(aurora, {}, { credentials, clock: () => now })
    const before = await connect(port)
    isLost = true
    now += 20 * 60_000
    const error = await refusal(port)
    expect(error).toMatchObject({ errno: 1105 })
    expect(error.message).toMatch(/^aurora-iam: .*credential/i)
    expect(await value(before, 'SELECT 1')).toBe(1)
    isLost = false
    now -= 20 * 60_000
    await connect(port)
  })
})

test('one client more than the limit: 1040, and the next is accepted when another leaves', async () => {
  const { port, gateway } = await gatewayTo(aurora, { maxConnections: 1 })
  const first = await connect(port)
  expect(await refusal(port)).toMatchObject({ errno: 1040 })
  first.destroy()
  await untilDone(() => expect(gateway.connections).toBe(0))
  await connect(port)
})

test('a client that asks for compression all the same: a clear error', async () => {
  const { port } = await gatewayTo(aurora)
  const socket = connectSocket(port, '127.0.0.1')
  const channel = new PacketChannel(socket)
  await readGreeting(channel)
  const authResponse = Buffer.alloc(32)
  const capabilities = Capability.COMPRESS | Capability.PLUGIN_AUTH
  const response = { capabilities, maxPacketBytes: 2 ** 24, collation: 45, user: 'app', authResponse }
  channel.write(encodeHandshakeResponse({ ...response, authPlugin: 'caching_sha2_password' }))
  const { payload } = await channel.read()
  expect(payload.toString()).toContain('Switch compression off in the client')
  socket.destroy()
})

test('bytes that are no login: 1043, and the gateway serves the next client', async () => {
  const { port, gateway } = await gatewayTo(aurora)
  const socket = connectSocket(port, '127.0.0.1')
  socket.on('error', () => {})
  const channel = new PacketChannel(socket)
  await readGreeting(channel)
  socket.write(encodePacket({ sequence: 1, payload: Buffer.from('GET / HTTP/1.1') }))
  channel.sequence = 2
  expect((await channel.read()).payload.toString()).toContain('Bad handshake')
  await once(socket.resume(), 'close')
  await connect(port)
  expect(gateway.connections).toBe(1)
})

test('a client that never logs in: closed after 10 seconds', async () => {
  const { port, gateway } = await gatewayTo(aurora)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const socket = connectSocket(port, '127.0.0.1')
    await once(socket, 'data')
    vi.advanceTimersByTime(10_000)
    await once(socket.resume(), 'close')
  } finally {
    vi.useRealTimers()
  }
  await untilDone(() => expect(gateway.connections).toBe(0))
})

test('two hundred clients at once: each gets a session', async () => {
  const { port } = await gatewayTo(aurora)
  const connections = await Promise.all(
    Array.from({ length: 200 }, () => connect(port, { connectTimeout: 60_000 })),
  )
  const ids = await Promise.all(connections.map((connection) => value(connection, 'SELECT CONNECTION_ID()')))
  expect(new Set(ids).size).toBe(200)
})

test('more clients than may log in at one time: the others open no connection to the database', async () => {
  const { port, gateway } = await gatewayTo(aurora, { maxPendingLogins: 4 })
  aurora.faults.set({ hang: 'after-token' })
  const hanging = Array.from({ length: 4 }, () => refusal(port))
  await untilDone(() => expect(aurora.log.tokensReceived).toBe(4))
  const others = Array.from({ length: 3 }, () => connectSocket(port, '127.0.0.1'))
  await untilDone(() => expect(gateway.connections).toBe(7))
  // A connection that was opened before this one is in the log by now.
  await readGreeting(new PacketChannel(connectSocket(aurora.port, aurora.host)))
  expect(aurora.log.connections).toBe(4 + 1)
  await gateway.close()
  await Promise.all(hanging)
  for (const socket of others) socket.destroy()
})

test('many wrong passwords at once: while they wait for their answers others log in, and the gateway closes', async () => {
  const { port, gateway, events } = await gatewayTo(aurora)
  const clients = Array.from({ length: 150 }, () =>
    refusal(port, { password: 'wrong', connectTimeout: 60_000 }),
  )
  const rejected = () => events.filter(({ type }) => type === 'rejected').length
  // Five are answered in a second.
  await untilDone(() => expect(rejected()).toBe(150))
  await connect(port)
  await gateway.close()
  const errors = await Promise.all(clients)
  expect(errors.some(({ errno }) => errno !== 1045)).toBe(true)
})

test('a client that takes long to log in: it gets a new connection to the database', async () => {
  const { port } = await gatewayTo(aurora)
  const { now } = performance
  onTestFinished(() => void vi.restoreAllMocks())
  const stream = connectSocket(port, '127.0.0.1')
  stream.once('data', () =>
    vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + 6_000),
  )
  const connection = await connect(port, { stream })
  expect(await value(connection, 'SELECT 1')).toBe(1)
  expect(aurora.log.connections).toBe(2)
  expect(aurora.log.logins).toHaveLength(1)
})

describe('a client that was greeted and sends nothing for a second', () => {
  /** Connects and waits for the greeting. From then on a second has passed. */
  const silentClient = async (port: number) => {
    const { now } = performance
    onTestFinished(() => void vi.restoreAllMocks())
    const socket = connectSocket(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    await once(socket, 'readable')
    vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + 1_000)
    return socket
  }

  test('another client waits: it gets the place among the logins, and the silent one can log in later', async () => {
    const { port } = await gatewayTo(aurora, { maxPendingLogins: 1 })
    const silent = await silentClient(port)
    const other = await connect(port)
    expect(await value(other, 'SELECT CONNECTION_ID()')).toBe(other.threadId)
    const late = await connect(port, { stream: silent })
    expect(await value(late, 'SELECT 1')).toBe(1)
    // The id in its greeting is that of no other session, so that KILL ends none.
    expect(late.threadId).not.toBe(other.threadId)
  })

  test('there is no room for one more connection: it is closed, and the next client gets a session', async () => {
    const { port } = await gatewayTo(aurora, { maxConnections: 2 })
    await connect(port)
    const silent = await silentClient(port)
    const closed = once(silent.resume(), 'close')
    await connect(port)
    await closed
    expect(await refusal(port)).toMatchObject({ errno: 1040 })
  })
})

test('close with a drain: open sessions end normally, new clients are refused', async () => {
  const { port, gateway } = await gatewayTo(aurora)
  const connection = await connect(port)
  let isClosed = false
  const closed = gateway.close(60_000).then(() => {
    isClosed = true
  })
  expect(await refusal(port)).toMatchObject({ code: 'ECONNREFUSED' })
  expect(await value(connection, 'SELECT 1')).toBe(1)
  expect(isClosed).toBe(false)
  await connection.end()
  await closed
})

test('close without a drain: open sessions break', async () => {
  const { port, gateway } = await gatewayTo(aurora)
  const connection = await connect(port)
  const broken = new Promise((resolve) => connection.on('error', resolve))
  await gateway.close()
  await broken
  expect(aurora.log.refusals).toEqual([])
})
