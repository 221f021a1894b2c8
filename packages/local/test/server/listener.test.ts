import { connect } from 'node:net'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { Capability, hasCapability, PacketChannel, readGreeting } from '@aurora-iam/wire'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connectWith, logIn, quiet, tokenFor } from '../fixtures/client.ts'

let aurora: LocalAurora

beforeAll(async () => {
  aurora = await startLocalAurora({ users: ['app', 'reporting', 'kühn'], throttle: false })
})
afterAll(() => aurora.close())
afterEach(async () => {
  await quiet(aurora)
  aurora.setThrottle(false)
  aurora.setClock(Date.now)
  aurora.log.clear()
})

const DENIED = { errno: 1045, sqlState: '28000' }

describe('a good login', () => {
  test('a good login: a session of the database upstream, with the connection id that KILL takes', async () => {
    const connection = await logIn(aurora)
    const [rows] = await connection.query(
      'SELECT CONNECTION_ID() AS id, DATABASE() AS name, CURRENT_USER() AS user',
    )
    expect(rows).toEqual([{ id: connection.threadId, name: 'app', user: 'app@%' }])
    await connection.end()
  })

  test("SHOW STATUS LIKE 'Ssl_cipher': a cipher, as over TLS all the way", async () => {
    const connection = await logIn(aurora)
    const [rows] = await connection.query("SHOW STATUS LIKE 'Ssl_cipher'")
    expect(rows).toEqual([{ Variable_name: 'Ssl_cipher', Value: expect.stringMatching(/^TLS_/) }])
    await connection.end()
  })

  test('a lost client: its session ends while a statement sleeps', async () => {
    const [lost, other] = [await logIn(aurora), await logIn(aurora)]
    lost.query('SELECT SLEEP(100)').catch(() => {})
    const running = async () => {
      const [rows] = await other.query(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(100)'",
      )
      return rows
    }
    await expect.poll(running).toHaveLength(1)
    lost.destroy()
    // MariaDB checks every 5 seconds whether the client of a SLEEP is there.
    await expect.poll(running, { timeout: 12_000 }).toEqual([])
    await other.end()
  })

  test('the greeting: that of Aurora MySQL 3', async () => {
    const connection = await logIn(aurora)
    expect((connection as unknown as { connection: { _handshakePacket: unknown } }).connection).toMatchObject(
      {
        _handshakePacket: { serverVersion: '8.0.39', authPluginName: 'mysql_native_password' },
      },
    )
    await connection.end()
  })

  test('capabilities that cannot be relayed: not offered', async () => {
    const socket = connect(aurora.port, aurora.host)
    const { capabilities } = await readGreeting(new PacketChannel(socket))
    socket.destroy()
    for (const flag of ['COMPRESS', 'ZSTD_COMPRESSION', 'MULTI_FACTOR_AUTHENTICATION'] as const) {
      expect({ flag, offered: hasCapability(capabilities, Capability[flag]) }).toEqual({
        flag,
        offered: false,
      })
    }
    expect(hasCapability(capabilities, Capability.SSL | Capability.PLUGIN_AUTH)).toBe(true)
  })

  test('the log of a login: complete from beginning to end, without the token', async () => {
    const token = await tokenFor(aurora)
    await (await connectWith(aurora, token)).end()
    await quiet(aurora)
    expect([...aurora.log].map(({ type }) => type)).toEqual(['connection', 'tls', 'token', 'login', 'closed'])
    expect(aurora.log.logins[0]).toMatchObject({
      user: 'app',
      hostname: aurora.hostname,
      port: aurora.port,
      accessKeyId: aurora.credentials.accessKeyId.slice(-4),
      fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
    })
    expect([...aurora.log].at(-1)).toMatchObject({ type: 'closed', by: 'client', phase: 'session' })
    const signature = token.split('X-Amz-Signature=')[1]!.slice(0, 20)
    expect(JSON.stringify([...aurora.log]) + aurora.log).not.toContain(signature)
  })

  test('a token signed for a loopback name: accepted', async () => {
    for (const hostname of ['localhost', '127.0.0.1']) {
      await (await connectWith(aurora, await tokenFor(aurora, { hostname }))).end()
    }
    expect(aurora.log.logins).toHaveLength(2)
  })

  test('no database, a name beyond ASCII, prepared statements: relayed', async () => {
    const username = 'kühn'
    const connection = await connectWith(aurora, await tokenFor(aurora, { username }), {
      user: username,
      database: '',
    })
    const [rows] = await connection.execute('SELECT DATABASE() AS name, ? + 1 AS sum', [41])
    expect(rows).toEqual([{ name: null, sum: 42 }])
    await connection.end()
  })

  test('results and statements of many megabytes: relayed both ways', async () => {
    const connection = await logIn(aurora)
    const text = 'x'.repeat(20 * 1024 * 1024)
    const [rows] = await connection.query('SELECT ? AS text', [text])
    expect((rows as { text: string }[])[0]!.text === text).toBe(true)
    await connection.end()
  })

  test('an error of the database: relayed unchanged', async () => {
    const attempt = logIn(aurora, { database: 'nowhere' })
    await expect(attempt).rejects.toMatchObject({ errno: 1044, sqlState: '42000' })
  })
})

describe('a bad login gets the bare 1045, the log gets the reason', () => {
  const refusals: [string, Parameters<typeof tokenFor>[1], string, RegExp][] = [
    ['signed for another port', { port: 3306 }, 'InvalidToken', /signed for port "3306"/],
    ['signed for another host', { hostname: 'other.example' }, 'InvalidToken', /other\.example/],
    ['signed for another region', { region: 'eu-west-1' }, 'InvalidToken', /eu-west-1/],
    ['signed for another user', { username: 'reporting' }, 'InvalidToken', /reporting/],
    [
      'signed with unknown credentials',
      { credentials: { accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'x' } },
      'InvalidToken',
      /unknown/,
    ],
  ]
  test.each(refusals)(
    'a token %s: 1045, and the log has the reason',
    async (_, overrides, reason, detail) => {
      const attempt = connectWith(aurora, await tokenFor(aurora, overrides))
      await expect(attempt).rejects.toMatchObject({
        ...DENIED,
        message: "Access denied for user 'app'@'127.0.0.1' (using password: YES)",
      })
      expect(aurora.log.refusals).toEqual([
        expect.objectContaining({
          reason,
          detail: expect.stringMatching(detail),
          during: 'login',
          user: 'app',
        }),
      ])
    },
  )

  test('a token that has expired by the clock that was set: 1045, and the log has the reason', async () => {
    const token = await tokenFor(aurora)
    aurora.setClock(new Date(Date.now() + 16 * 60_000))
    await expect(connectWith(aurora, token)).rejects.toMatchObject(DENIED)
    expect(aurora.log.refusals[0]).toMatchObject({ reason: 'ExpiredToken', at: new Date(aurora.now()) })
  })

  test('logins over the rate: 1045, and the log has the reason', async () => {
    aurora.setThrottle({ limit: 2, intervalMs: 60_000 })
    const token = await tokenFor(aurora)
    for (let login = 0; login < 2; login += 1) await (await connectWith(aurora, token)).end()
    await expect(connectWith(aurora, token)).rejects.toMatchObject(DENIED)
    expect(aurora.log.refusals[0]).toMatchObject({ reason: 'ThrottlingException' })
    expect(aurora.log.peakTokens(60_000)).toBe(3)
    expect(aurora.log.fingerprints).toHaveLength(1)
  })

  test('no token: 1045, and the log has the reason', async () => {
    await expect(connectWith(aurora, '')).rejects.toMatchObject({
      message: "Access denied for user 'app'@'127.0.0.1' (using password: NO)",
    })
    expect(aurora.log.tokensReceived).toBe(0)
  })
})

describe('without TLS', () => {
  test('a client without TLS: not asked for a token', async () => {
    const attempt = connectWith(aurora, () => expect.unreachable(), { ssl: undefined as never })
    await expect(attempt).rejects.toMatchObject({ errno: 3159, sqlState: 'HY000' })
    expect([...aurora.log].map(({ type }) => type)).toContain('plaintext')
    expect(aurora.log.tokensReceived).toBe(0)
  })

  test('a client that trusts another authority: it leaves before it logs in, and the log has the reason', async () => {
    const attempt = connectWith(aurora, () => expect.unreachable(), { ssl: {} })
    await expect(attempt).rejects.toMatchObject({ code: 'HANDSHAKE_SSL_ERROR' })
    await quiet(aurora)
    const end = [...aurora.log].at(-1)
    expect(end).toMatchObject({ type: 'closed', by: 'client' })
    expect(aurora.log.tokensReceived).toBe(0)
  })
})

describe('COM_CHANGE_USER', () => {
  test('is a separate login: another token, another user, another session upstream', async () => {
    const tokens = [await tokenFor(aurora), await tokenFor(aurora, { username: 'reporting' })]
    const connection = await connectWith(aurora, () => tokens.shift()!)
    await connection.query('SET @mine = 1')
    await connection.changeUser({ user: 'reporting', database: 'app' })
    const [rows] = await connection.query('SELECT CURRENT_USER() AS user, @mine AS mine, DATABASE() AS name')
    expect(rows).toEqual([{ user: 'reporting@%', mine: null, name: 'app' }])
    await connection.end()
    await quiet(aurora)
    const types = [...aurora.log].map(({ type }) => type)
    expect(types).toEqual(['connection', 'tls', 'token', 'login', 'token', 'change-user', 'closed'])
  })

  test('a change of user with a token for another user: rejected, and the session ends', async () => {
    const token = await tokenFor(aurora)
    const connection = await connectWith(aurora, token)
    connection.on('error', () => {})
    await expect(connection.changeUser({ user: 'reporting' })).rejects.toMatchObject(DENIED)
    await quiet(aurora)
    expect(aurora.log.refusals[0]).toMatchObject({
      during: 'change-user',
      user: 'reporting',
      reason: 'InvalidToken',
    })
  })

  test('a change of user: it counts for the throttle', async () => {
    aurora.setThrottle({ limit: 1, intervalMs: 60_000 })
    const connection = await logIn(aurora)
    connection.on('error', () => {})
    await expect(connection.changeUser({ user: 'app' })).rejects.toMatchObject(DENIED)
    expect(aurora.log.refusals[0]).toMatchObject({ reason: 'ThrottlingException' })
  })
})

test('a client that hangs up: its session upstream ends; a session killed upstream: the client is told', async () => {
  const [victim, killer] = [await logIn(aurora), await logIn(aurora)]
  const gone = new Promise((resolve) => victim.on('error', resolve))
  await killer.query(`KILL ${victim.threadId}`)
  await gone
  killer.destroy()
  await quiet(aurora)
  const watcher = await logIn(aurora)
  const [rows] = await watcher.query('SELECT COUNT(*) AS sessions FROM information_schema.processlist')
  expect(rows).toEqual([{ sessions: 1 }])
  await watcher.end()
})
