import { once } from 'node:events'
import { connect } from 'node:net'
import { type FaultSettings, type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { Capability, decodeErr, encodeHandshakeResponse, encodePacket } from '@aurora-iam/wire'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connectWith, logIn, quiet, tokenFor } from '../fixtures/client.ts'

let aurora: LocalAurora

beforeAll(async () => {
  aurora = await startLocalAurora({ throttle: false })
})
afterAll(() => aurora.close())
afterEach(async () => {
  aurora.faults.clear()
  await quiet(aurora)
  aurora.log.clear()
})

const closed = () => [...aurora.log].find((event) => event.type === 'closed')

describe('certificates that a client must not accept', () => {
  const cases = [
    ['other-ca', /self-signed certificate in certificate chain|unable to verify|signature failure/],
    ['wrong-name', /wrong-name\.invalid/],
    ['expired', /expired/],
    ['self-signed', /self-signed certificate/],
  ] as const
  test.each(cases)('%s: the client leaves and keeps its token', async (certificate, message) => {
    aurora.faults.set({ certificate })
    await expect(connectWith(aurora, () => expect.unreachable())).rejects.toThrow(message)
    await quiet(aurora)
    expect(aurora.log.connections).toBe(1)
    expect(aurora.log.tokensReceived).toBe(0)
  })
})

describe('without TLS', () => {
  test('a client that insists on TLS: it keeps its token', async () => {
    aurora.faults.set({ tls: 'absent' })
    await expect(connectWith(aurora, () => expect.unreachable())).rejects.toThrow(/secure connection/)
    expect(aurora.log.tokensReceived).toBe(0)
  })

  test('a careless client: it sends the token in clear text, and the log shows that', async () => {
    aurora.faults.set({ tls: 'absent' })
    const connection = await logIn(aurora, { ssl: undefined as never })
    await connection.end()
    expect([...aurora.log]).toContainEqual(expect.objectContaining({ type: 'token', encrypted: false }))
  })

  test('a token that was not requested: it is in the log, although the login is rejected', async () => {
    aurora.faults.set({ greeting: 'clear-password' })
    const socket = connect(aurora.port, aurora.host)
    await once(socket, 'data')
    const response = {
      capabilities: Capability.PROTOCOL_41,
      maxPacketBytes: 0,
      collation: 45,
      user: 'app',
      authPlugin: 'mysql_clear_password',
      authResponse: Buffer.from('token'),
    }
    socket.write(encodePacket({ sequence: 1, payload: encodeHandshakeResponse(response) }))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(decodeErr(answer.subarray(4))).toMatchObject({ errno: 3159 })
    socket.destroy()
    expect([...aurora.log]).toContainEqual(expect.objectContaining({ type: 'token', encrypted: false }))
  })
})

describe('greetings of other servers', () => {
  test.each(['mariadb', 'clear-password', 'caching-sha2', 'mariadb-clear-password'] as const)(
    '%s: a login works',
    async (greeting) => {
      aurora.faults.set({ greeting })
      const connection = await logIn(aurora)
      expect(await connection.query('SELECT 1 AS one')).toMatchObject([[{ one: 1 }], {}])
      await connection.end()
      expect(aurora.log.tokensReceived).toBe(1)
    },
  )
})

describe('rejections', () => {
  test.each([
    'InvalidToken',
    'ExpiredToken',
    'NotAuthorized',
    'ThrottlingException',
    'InternalError',
  ] as const)('%s: rejected, whichever token', async (refuse) => {
    aurora.faults.set({ refuse })
    await expect(logIn(aurora)).rejects.toMatchObject({ errno: 1045 })
    expect(aurora.log.refusals).toMatchObject([{ reason: refuse, user: 'app' }])
    aurora.faults.clear()
    await (await logIn(aurora)).end()
  })

  test('an error instead of a greeting: the client reports it', async () => {
    aurora.faults.set({ error: { errno: 1040, sqlState: '08004', message: 'Too many connections' } })
    await expect(logIn(aurora)).rejects.toMatchObject({ errno: 1040, message: 'Too many connections' })
  })
})

describe('slowness', () => {
  test.each(['greetingDelayMs', 'authDelayMs'] as const)('%s: the login is late', async (delay) => {
    aurora.faults.set({ [delay]: 150 })
    const before = performance.now()
    await (await logIn(aurora)).end()
    expect(performance.now() - before).toBeGreaterThanOrEqual(149)
  })

  const hangs = { 'before-greeting': 'greeting', 'after-tls': 'auth', 'after-token': 'auth' } as const
  test.each(Object.entries(hangs))('a hang %s: it lasts until the client times out', async (hang, phase) => {
    aurora.faults.set({ hang } as FaultSettings)
    await expect(logIn(aurora, { connectTimeout: 150 })).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    await quiet(aurora)
    expect(closed()).toMatchObject({ by: 'client', phase })
    expect(aurora.log.tokensReceived).toBe(hang === 'after-token' ? 1 : 0)
  })
})

describe('broken connections', () => {
  test.each([0, 1, 50, 500, 3000])(
    'a connection cut after %i bytes: the client gets no more',
    async (cutAfterBytes) => {
      aurora.faults.set({ cutAfterBytes })
      const socket = connect(aurora.port, aurora.host)
      socket.on('error', () => {})
      const attempt = logIn(aurora, { stream: () => socket }).then((connection) =>
        connection.query('SELECT REPEAT("x", 4000)'),
      )
      await expect(attempt).rejects.toThrow()
      if (!socket.closed) await once(socket, 'close')
      expect(socket.bytesRead).toBe(cutAfterBytes)
    },
  )

  test('dropped connections: all end at once', async () => {
    const connections = await Promise.all([logIn(aurora), logIn(aurora)])
    const lost = connections.map((connection) => new Promise((resolve) => connection.on('error', resolve)))
    expect(aurora.faults.dropConnections()).toBe(2)
    await Promise.all(lost)
    await quiet(aurora)
    expect(closed()).toMatchObject({ by: 'server', phase: 'session', detail: 'dropped' })
  })
})

test('a change of user: it meets the faults that its connection began with', async () => {
  const token = await tokenFor(aurora)
  const connection = await connectWith(aurora, token)
  aurora.faults.set({ refuse: 'NotAuthorized' })
  await connection.changeUser({ user: 'app' })
  await connection.end()
})

test.each([
  [{ certifcate: 'expired' }, /certifcate: is no fault/],
  [{ certificate: 'old' }, /expected one of other-ca/],
  [{ authDelayMs: -1 }, /from 0 to 2147483647/],
  [{ authDelayMs: 2 ** 31 }, /from 0 to 2147483647/],
  [{ error: {} }, /errno/],
])('%j: refused by name', (settings, message) => {
  expect(() => aurora.faults.set(settings as FaultSettings)).toThrow(message)
  expect(aurora.faults.current).toEqual({})
})
