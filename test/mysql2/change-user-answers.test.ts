import { type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { gateLimiter } from '@aurora-iam/test-support/gate-limiter'
import { callbackErrorOf, rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { Capability } from '@aurora-iam/wire'
import { describe, expect, test } from 'vitest'
import { CLEAR_PASSWORD_WANTED, DENIED, greeting, OK, packet, takingToken } from '../chaos/hostile-scripts.ts'
import type { HostileSession, Script } from '../chaos/hostile-server.ts'
import { scriptedServer, streamOf, unhandledDuring, VERSIONS } from './support.ts'

const { server, address, iam: settings } = await scriptedServer()

type Answer = (session: HostileSession) => void | Promise<void>

/** Takes any token at the login, and does `answer` with that of a change of user. */
const changing = (answer: Answer, request = packet(1, CLEAR_PASSWORD_WANTED)) =>
  takingToken(async (session) => {
    const more = () => session.hasSent(session.inTls.length + 1)
    session.sendPacket(5, OK)
    await more()
    session.send(request)
    await more()
    await answer(session)
  })

/** Answers with an error packet for a client that compresses. So short a packet is sent uncompressed. */
const compressing: Script = async (session) => {
  const more = () => session.hasSent(session.inTls.length + 1)
  const packed = (sequence: number, bytes: Buffer) => {
    const header = Buffer.alloc(7)
    header.writeUIntLE(bytes.length, 0, 3)
    header.writeUInt8(sequence, 3)
    return Buffer.concat([header, bytes])
  }
  const { SSL, COMPRESS, TRANSACTIONS } = Capability
  session.send(greeting('MySQL', { capabilities: SSL | COMPRESS | TRANSACTIONS }))
  if (!((await session.startTls('valid')) && (await session.hasSent(4)))) return
  session.sendPacket(3, CLEAR_PASSWORD_WANTED)
  await more()
  session.sendPacket(5, OK)
  await more()
  session.send(packed(1, packet(1, CLEAR_PASSWORD_WANTED)))
  await more()
  session.send(packed(3, packet(3, DENIED)))
}

/** Sends byte after byte, each in a separate piece. */
const inPieces =
  (bytes: Buffer): Answer =>
  async (session) => {
    for (const byte of bytes) {
      session.send(Buffer.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

describe.each(VERSIONS)('what the server answers to changeUser of $name', ({ callbacks, promises }) => {
  /** Returns how a change of user ends against a server that follows `script`, with the statistics afterwards. */
  async function change(script: Script, options: { compress?: boolean; connectTimeout?: number } = {}) {
    server.script = script
    const limiter = createRateLimiter({ limit: 20 })
    const iam = createAuroraIam({ ...settings, rateLimit: limiter })
    const connection = await promises.createConnection(withAuroraIam({ ...address, ...options }, iam))
    connection.on('error', () => {})
    const error = await connection.changeUser({ user: 'reporting' }).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    await until(() => limiter.stats().granted === 2 && limiter.stats().inFlight === 0)
    const isOpen = streamOf((connection as unknown as { connection: object }).connection).writable
    connection.destroy()
    const { connectionsOpened, connectionsFailed, lastError } = iam.stats()
    const { granted, succeeded, failed, throttled, cancelled } = limiter.stats()
    expect(succeeded + failed + throttled + cancelled).toBe(granted)
    const outcomes = { succeeded, failed, throttled, cancelled }
    return { error, isOpen, connectionsOpened, connectionsFailed, lastError, ...outcomes }
  }

  test('OK and rejection in any number of pieces: understood', async () => {
    expect(await change(changing(inPieces(packet(3, OK))))).toMatchObject({
      error: undefined,
      connectionsOpened: 2,
      succeeded: 2,
    })
    expect(await change(changing(inPieces(packet(3, DENIED))))).toMatchObject({
      error: { errno: 1045 },
      connectionsOpened: 1,
      connectionsFailed: 1,
      lastError: { code: 'ER_ACCESS_DENIED_ERROR', message: 'Access denied' },
    })
  })

  test('no answer: awaited until connectTimeout, and reported as throttling', async () => {
    expect(
      await change(
        changing(() => {}),
        { connectTimeout: 1_000 },
      ),
    ).toMatchObject({
      error: { code: 'ETIMEDOUT' },
      connectionsFailed: 1,
      lastError: { code: 'ETIMEDOUT' },
      throttled: 1,
    })
  })

  test('the server closes the connection without an answer: reported as throttling', async () => {
    expect(await change(changing((session) => session.end()))).toMatchObject({
      error: { code: 'PROTOCOL_CONNECTION_LOST' },
      connectionsFailed: 1,
      throttled: 1,
    })
  })

  test('an answer that is too short: only the change of user ends', async () => {
    const short = packet(3, Buffer.of(255, 21))
    expect(await change(changing((session) => session.send(short)))).toMatchObject({ connectionsOpened: 1 })
  })

  test('a connection that compresses: only mysql2 reads the answer', async () => {
    expect(await change(compressing, { compress: true })).toMatchObject({
      error: { errno: 1045 },
      connectionsOpened: 1,
      connectionsFailed: 0,
      throttled: 0,
    })
  })

  test('an answer before the token: the permit is cancelled, and the connection is kept', async () => {
    const early = Buffer.concat([packet(1, CLEAR_PASSWORD_WANTED), packet(2, OK)])
    expect(await change(changing(() => {}, early))).toMatchObject({
      error: undefined,
      cancelled: 1,
      isOpen: true,
    })
  })

  /** Opens a connection to a server that takes any token, and does `answer` with that of a change of user. */
  async function open(answer: Answer, options: AuroraIamOptions) {
    server.script = changing(answer)
    const iam = createAuroraIam({ ...settings, ...options })
    const connection = callbacks.createConnection(withAuroraIam(address, iam))
    expect(await callbackErrorOf((done) => connection.connect(done))).toBeNull()
    return {
      connection,
      iam,
      change: () => callbackErrorOf((done) => connection.changeUser({ user: 'reporting' }, done)),
    }
  }

  const accept: Answer = (session) => session.sendPacket(3, OK)

  test('a full limiter: it waits for a permit, as a new connection does', async () => {
    const { limiter, grant } = await gateLimiter(1, 1)
    const { connection, change } = await open(accept, { rateLimit: limiter })
    const changed = change()
    await until(() => limiter.stats().waiting === 1)
    expect(limiter.stats()).toMatchObject({ succeeded: 1 })
    grant()
    expect(await changed).toBeNull()
    expect(limiter.stats()).toMatchObject({ succeeded: 2 })
    connection.destroy()
  })

  test('a connection destroyed while it waits: it leaves the queue', async () => {
    const { limiter } = await gateLimiter(1, 1)
    const { connection, change, iam } = await open(accept, { rateLimit: limiter })
    const unhandled = await unhandledDuring(async () => {
      void change()
      await until(() => limiter.stats().waiting === 1)
      connection.destroy()
      await until(() => limiter.stats().waiting === 0)
    })
    expect(unhandled).toEqual([])
    expect(iam.stats()).toMatchObject({ tokensSigned: 2, connectionsOpened: 1 })
  })

  test('a connection destroyed while the server checks the token: no throttling', async () => {
    const limiter = createRateLimiter({ limit: 20 })
    let destroy = () => {}
    const { connection, change, iam } = await open(() => destroy(), { rateLimit: limiter })
    destroy = () => connection.destroy()
    void change()
    await until(() => limiter.stats().granted === 2 && limiter.stats().inFlight === 0)
    expect(limiter.stats()).toMatchObject({ failed: 0, throttled: 0 })
    expect(iam.stats()).toMatchObject({ connectionsFailed: 0 })
    await until(() => streamOf(connection).destroyed)
  })

  test('after the change: no listener is left on the stream', async () => {
    const { connection, change } = await open(accept, { rateLimit: false })
    const stream = streamOf(connection)
    const listeners = () =>
      Object.fromEntries(stream.eventNames().map((name) => [name, stream.rawListeners(name)]))
    const before = listeners()
    expect(await change()).toBeNull()
    expect(listeners()).toEqual(before)
    connection.destroy()
  })

  test('a credential provider that fails: its error reaches the callback and the promise, no token is sent', async () => {
    const unavailable = { code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE' }
    const unhandled = await unhandledDuring(async () => {
      for (const api of ['callback', 'promise'] as const) {
        const source = { isOut: false, aheadMs: 0 }
        const clock = () => Date.now() + source.aheadMs
        const credentials = async () => {
          if (source.isOut) throw new Error('the metadata service is down')
          return { ...settings.credentials, expiration: new Date(clock() + 60_000) }
        }
        const { connection, change, iam } = await open(accept, { rateLimit: false, clock, credentials })
        source.isOut = true
        source.aheadMs = 120_000
        const error =
          api === 'callback'
            ? await change()
            : await rejectionOf(connection.promise().changeUser({ user: 'reporting' }))
        expect(error).toMatchObject(unavailable)
        expect(iam.stats()).toMatchObject({ tokensSigned: 1, connectionsOpened: 1 })
      }
    })
    expect(unhandled).toEqual([])
  })
})
