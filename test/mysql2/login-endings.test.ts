import dns from 'node:dns'
import { Socket } from 'node:net'
import { type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { gateLimiter } from '@aurora-iam/test-support/gate-limiter'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { encodeErr } from '@aurora-iam/wire'
import type { Connection } from 'mysql2'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  CLEAR_PASSWORD_WANTED,
  DENIED,
  impostor,
  OK,
  packet,
  takingToken,
  trusted,
} from '../chaos/hostile-scripts.ts'
import type { HostileSession, Script } from '../chaos/hostile-server.ts'
import { scriptedServer, streamOf, unhandledDuring, VERSIONS } from './support.ts'

const { server, address, iam: settings } = await scriptedServer()
const connections: Connection[] = []

const letIn: Script = takingToken((session) => session.sendPacket(5, OK))
const silent: Script = takingToken(() => {})
const LOST = /^(PROTOCOL_CONNECTION_LOST|ECONNRESET)$/

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  for (const connection of connections.splice(0)) streamOf(connection).destroy()
})

/** Returns how many tokens the client has sent to the server. */
const tokensIn = ({ inTls }: HostileSession) => inTls.toString('latin1').split('X-Amz-Signature=').length - 1

/** Destroys a connection that is logged in, with fake timers from then on. Returns its stream, which has finished. */
async function destroyed(connection: Connection): Promise<Socket> {
  const stream = streamOf(connection)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const finished = new Promise((resolve) => stream.once('finish', resolve))
  connection.destroy()
  await finished
  return stream
}

describe.each(VERSIONS)('how a login of $name ends', ({ name, callbacks }) => {
  /** Connects to a server that follows `script`. Options of mysql2 in `added` do not pass through withAuroraIam. */
  function open(script: Script, options: AuroraIamOptions = {}, driverOptions = {}, added = {}) {
    const sessions: HostileSession[] = []
    server.script = (session) => {
      sessions.push(session)
      return script(session)
    }
    const limiter = createRateLimiter({ limit: 20 })
    const iam = createAuroraIam({ ...settings, rateLimit: limiter, ...options })
    const connection = callbacks.createConnection({
      ...withAuroraIam({ ...address, ...driverOptions }, iam),
      ...added,
    } as never)
    connections.push(connection)
    connection.on('error', () => {})
    const error = new Promise<(Error & { code?: string }) | null>((resolve) => connection.connect(resolve))
    const stats = () => {
      const { connectionsOpened, connectionsFailed } = iam.stats()
      const { succeeded, failed, throttled, cancelled, inFlight } = limiter.stats()
      return { connectionsOpened, connectionsFailed, succeeded, failed, throttled, cancelled, inFlight }
    }
    return { connection, error, iam, limiter, stats, sessions }
  }

  test.each([
    { options: {}, keepAlive: [[true, 30_000]] },
    { options: { keepAliveInitialDelay: 5_000 }, keepAlive: [[true, 5_000]] },
    { options: { enableKeepAlive: false }, keepAlive: [] },
  ])('a socket: TCP_NODELAY and the keep-alive of $options', async ({ options, keepAlive }) => {
    const noDelays = vi.spyOn(Socket.prototype, 'setNoDelay')
    const keepAlives = vi.spyOn(Socket.prototype, 'setKeepAlive')
    expect(await open(letIn, {}, options).error).toBeNull()
    // The server's own sockets are in this process too: only the one that goes to its port counts.
    const callsOf = (spy: typeof noDelays | typeof keepAlives) =>
      spy.mock.calls.filter((_, call) => (spy.mock.contexts[call] as Socket).remotePort === server.port)
    expect(callsOf(noDelays)).toContainEqual([true])
    expect(callsOf(keepAlives)).toEqual(keepAlive)
  })

  test('OK: the token was sent once, inside TLS, and ends with a NUL', async () => {
    const { error, stats, sessions } = open(letIn)
    expect(await error).toBeNull()
    expect(stats()).toMatchObject({ connectionsOpened: 1, connectionsFailed: 0, succeeded: 1, inFlight: 0 })
    expect(sessions.map(tokensIn)).toEqual([1])
    expect(sessions[0]?.inTls.at(-1)).toBe(0)
    expect(sessions[0]?.clear.includes('X-Amz')).toBe(false)
  })

  test('a rejection, and the server keeps its end open: the socket is destroyed', async () => {
    const { connection, error, stats } = open(takingToken((session) => session.sendPacket(5, DENIED)))
    expect(await error).toMatchObject({ errno: 1045 })
    expect(stats()).toMatchObject({ connectionsFailed: 1, failed: 1, inFlight: 0 })
    await until(() => streamOf(connection).destroyed)
  })

  test('the server closes the connection while it has the token: reported as throttling', async () => {
    const { error, stats } = open(takingToken((session) => session.end()))
    expect(await error).toMatchObject({ code: expect.stringMatching(LOST) })
    await until(() => stats().inFlight === 0)
    expect(stats()).toMatchObject({ connectionsFailed: 1, throttled: 1, failed: 0 })
  })

  test('connection.destroy() while the server checks the token: no throttling, and the socket is destroyed', async () => {
    const { connection, limiter, stats, sessions } = open(silent)
    await until(() => sessions.some(tokensIn))
    connection.destroy()
    await until(() => stats().inFlight === 0 && streamOf(connection).destroyed)
    expect(stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 0, throttled: 0, failed: 0 })
    expect(limiter.stats()).toMatchObject({ effectiveLimit: 20 })
  })

  test('connection.destroy() in the tick of its creation: no permit is taken, and no wait for one begins', async () => {
    const limiter = createRateLimiter({ limit: 1 })
    await limiter.acquire()
    const { connection, iam } = open(letIn, { rateLimit: limiter })
    connection.destroy()
    const other = open(letIn, { rateLimit: limiter })
    await until(() => limiter.stats().waiting > 0)
    other.iam.close()
    await other.error
    expect(limiter.stats()).toMatchObject({ granted: 1, waiting: 0 })
    expect(iam.stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 0 })
  })

  test('the token is requested again and again: it was sent once, and the login fails', async () => {
    const { error, stats, sessions } = open(
      takingToken(async (session) => {
        const sent = session.inTls.length
        session.sendPacket(5, CLEAR_PASSWORD_WANTED)
        await session.hasSent(sent + 1)
      }),
    )
    expect(await error).toMatchObject({ code: 'AUTH_SWITCH_PLUGIN_ERROR' })
    expect(stats()).toMatchObject({ connectionsFailed: 1, inFlight: 0 })
    expect(sessions.map(tokensIn)).toEqual([1])
  })

  test('a connection reset at the server’s request for a token: no second permit is taken', async () => {
    const { error, limiter, stats } = open(
      trusted((session) => {
        session.sendPacket(3, CLEAR_PASSWORD_WANTED)
        setImmediate(() => session.destroy())
      }),
    )
    expect(await error).toMatchObject({ code: expect.stringMatching(LOST) })
    await until(() => stats().inFlight === 0)
    expect(limiter.stats()).toMatchObject({ granted: 1, waiting: 0 })
    expect(stats()).toMatchObject({ connectionsFailed: 1 })
  })

  test('`debug` added behind withAuroraIam: the login fails, and the token is neither sent nor printed', async () => {
    const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
    const { error, stats, sessions } = open(letIn, {}, {}, { debug: true })
    expect(await error).toMatchObject({ code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS', option: 'debug' })
    const output = JSON.stringify(printed.mock.calls)
    // It prints packets in hexadecimal.
    expect(output).not.toContain(Buffer.from('X-Amz-Signature').toString('hex'))
    expect(output.length).toBeGreaterThan(100)
    expect(sessions.map(tokensIn)).toEqual([0])
    expect(stats()).toMatchObject({ connectionsFailed: 1 })
  })

  test('an unresponsive server: a time-out after connectTimeout, reported once', async () => {
    const { error, connection, stats } = open(() => {}, {}, { connectTimeout: 50 })
    expect(await error).toMatchObject({ code: 'ETIMEDOUT', message: 'connect ETIMEDOUT' })
    expect(streamOf(connection).destroyed).toBe(true)
    await until(() => stats().inFlight === 0)
    expect(stats()).toMatchObject({ connectionsFailed: 1 })
  })

  test.each([0, 5_000])(
    'connectTimeout of %d and a TCP connection that hangs: a time-out after tcpTimeoutMs, with its address',
    async (connectTimeout) => {
      vi.spyOn(dns, 'lookup').mockImplementation((() => {}) as never)
      const dial = { host: 'moved.test', port: server.port }
      const { error, stats } = open(() => {}, { dial, tcpTimeoutMs: 30 }, { connectTimeout })
      expect(await error).toMatchObject({
        code: 'ETIMEDOUT',
        message: `connect ETIMEDOUT moved.test:${server.port}: no TCP connection within 30 ms (\`tcpTimeoutMs\`)`,
        address: 'moved.test',
        port: server.port,
      })
      await until(() => stats().inFlight === 0)
      expect(stats()).toMatchObject({ connectionsFailed: 1 })
    },
  )

  test('a login that takes longer than tcpTimeoutMs once TCP is connected: no time-out', async () => {
    const slow = takingToken((session) => void setTimeout(() => session.sendPacket(5, OK), 250))
    const { error } = open(slow, { tcpTimeoutMs: 150 })
    expect(await error).toBeNull()
  })

  test('connectTimeout: it counts from the opening of the socket, not from the wait for a permit', async () => {
    const { limiter, grant } = await gateLimiter()
    const { error } = open(letIn, { rateLimit: limiter }, { connectTimeout: 500 })
    await until(() => limiter.stats().waiting === 1)
    await new Promise((resolve) => setTimeout(resolve, 600))
    grant()
    expect(await error).toBeNull()
  })

  test('1040 in place of a greeting: reported as throttling, with the error of the caller', async () => {
    const tooMany = encodeErr({ errno: 1040, sqlState: '08004', message: 'Too many connections' })
    const { error, iam, stats } = open((session) => {
      session.send(packet(0, tooMany))
      session.end()
    })
    const { code, message } = (await error)!
    expect(code).toBe('ER_CON_COUNT_ERROR')
    await until(() => stats().inFlight === 0)
    expect(stats()).toMatchObject({ connectionsFailed: 1, throttled: 1 })
    expect(iam.stats().lastError).toMatchObject({ code, message })
  })

  test('an error in place of a greeting, and the server keeps its end open: the socket is destroyed', async () => {
    // Before 3.20 mysql2 publishes no error of a handshake, and the connection ends with its time limit.
    if (name === 'mysql2 3.15.3') return
    const blocked = encodeErr({ errno: 1129, sqlState: 'HY000', message: 'Host is blocked' })
    const { connection, error, stats } = open((session) => session.send(packet(0, blocked)))
    expect(await error).toMatchObject({ errno: 1129 })
    await until(() => streamOf(connection).destroyed)
    expect(stats()).toMatchObject({ connectionsFailed: 1, inFlight: 0 })
  })

  test('the server closes the connection at once: reported with the error of the caller, where mysql2 publishes it', async () => {
    const { error, iam } = open((session) => session.end())
    expect(await error).toMatchObject({ code: 'PROTOCOL_CONNECTION_LOST' })
    await until(() => iam.stats().connectionsFailed === 1)
    expect(iam.stats().lastError).toMatchObject(
      name === 'mysql2 3.15.3'
        ? { message: 'The connection closed before the login was complete.' }
        : { code: 'PROTOCOL_CONNECTION_LOST' },
    )
  })

  test('a port that refuses connections: reported with the error of the socket', async () => {
    const { error, iam } = open(letIn, { dial: { host: '127.0.0.1', port: 1 } })
    expect(await error).toMatchObject({ code: 'ECONNREFUSED' })
    await until(() => iam.stats().connectionsFailed === 1)
    expect(iam.stats().lastError).toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('a certificate of another authority: reported', async () => {
    const { error, connection, iam } = open(impostor('MySQL', 'otherCa'))
    const { code, message } = (await error)!
    expect(code).toBe('HANDSHAKE_SSL_ERROR')
    await until(() => iam.stats().connectionsFailed === 1)
    // The oldest publishes no error of a handshake.
    const isTraced = name !== 'mysql2 3.15.3'
    expect(iam.stats().lastError?.message).toBe(
      isTraced ? message : 'The connection closed before the login was complete.',
    )
    await until(() => streamOf(connection).destroyed)
  })

  test('connection.destroy() during the wait for a permit: it leaves the queue, and nothing is opened', async () => {
    const { limiter, grant } = await gateLimiter()
    const unhandled = await unhandledDuring(async () => {
      const { connection, sessions } = open(letIn, { rateLimit: limiter })
      await until(() => limiter.stats().waiting === 1)
      connection.destroy()
      await until(() => limiter.stats().waiting === 0)
      grant()
      expect(await open(letIn, { rateLimit: limiter }).error).toBeNull()
      expect(sessions).toEqual([])
    })
    expect(unhandled).toEqual([])
    expect(limiter.stats()).toMatchObject({ succeeded: 1, inFlight: 0 })
  })

  test.each<[what: string, close: (connection: Connection) => unknown]>([
    ['connection.destroy()', (connection) => connection.destroy()],
    ['its socket destroyed', (connection) => streamOf(connection).destroy()],
  ])('%s at the moment of the grant: the permit is cancelled, and nothing failed', async (_what, close) => {
    const { limiter, grant } = await gateLimiter()
    const { connection, iam, sessions } = open(letIn, { rateLimit: limiter })
    await until(() => limiter.stats().waiting === 1)
    grant()
    close(connection)
    expect(await open(letIn, { rateLimit: limiter }).error).toBeNull()
    expect(sessions).toEqual([])
    // The gate has cancelled one too.
    expect(limiter.stats()).toMatchObject({ succeeded: 1, cancelled: 2, failed: 0, inFlight: 0 })
    expect(iam.stats()).toMatchObject({ connectionsFailed: 0 })
  })

  test('iam.close() during the wait for a permit: the login fails at once', async () => {
    const { limiter } = await gateLimiter()
    const { error, iam } = open(letIn, { rateLimit: limiter })
    await until(() => limiter.stats().waiting === 1)
    expect(() => iam.close()).not.toThrow()
    expect(await error).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
  })

  test('iam.close() before the server requests the token: the login fails at once', async () => {
    const { error, iam, stats, sessions } = open(() => {})
    await until(() => sessions.length === 1)
    iam.close()
    expect(await error).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
    await until(() => stats().inFlight === 0)
  })

  test('iam.close() while the server checks the token: the login goes on', async () => {
    const { error, iam } = open(
      takingToken((session) => {
        iam.close()
        session.sendPacket(5, OK)
      }),
    )
    expect(await error).toBeNull()
  })

  test('options that lost their ssl on the way: refused before any socket, and reported', async () => {
    const { error, iam, sessions } = open(letIn, {}, {}, { ssl: undefined })
    const refusal = { code: 'ERR_AURORA_IAM_TLS_REQUIRED', option: 'ssl' }
    expect(await error).toMatchObject(refusal)
    expect(sessions).toEqual([])
    expect(iam.stats()).toMatchObject({ connectionsFailed: 1, lastError: { code: refusal.code } })
  })

  test('several connections that fail for one reason: each gets a separate error object, and may write to it', async () => {
    const credentials = async () => {
      throw Object.freeze(new Error('the role cannot be assumed'))
    }
    const iam = createAuroraIam({ ...settings, rateLimit: false, credentials })
    const pool = callbacks.createPool(withAuroraIam({ ...address, connectionLimit: 2 }, iam))
    const [one, other] = await Promise.all([0, 1].map(() => rejectionOf(pool.promise().getConnection())))
    expect(one).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE' })
    expect(other).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE' })
    expect(one).not.toBe(other)
    expect(Object.isExtensible(one)).toBe(true)
    await new Promise((resolve) => pool.end(resolve))
  })

  test('connection.destroy() after the login, and the server keeps its end open: destroyed after 2 seconds', async () => {
    const { connection, error } = open(letIn)
    expect(await error).toBeNull()
    const stream = await destroyed(connection)
    vi.advanceTimersByTime(1_999)
    expect(stream.destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(stream.destroyed).toBe(true)
  })

  test('connection.destroy() after the login, and the server closes its end: no timer is left', async () => {
    const { connection, error, sessions } = open(letIn)
    expect(await error).toBeNull()
    const stream = await destroyed(connection)
    expect(vi.getTimerCount()).toBe(1)
    const closed = new Promise((resolve) => stream.once('close', resolve))
    sessions[0]?.end()
    await closed
    expect(vi.getTimerCount()).toBe(0)
  })
})
