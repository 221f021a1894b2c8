import { createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { until } from '@aurora-iam/test-support/until'
import { encodeErr } from '@aurora-iam/wire'
import { describe, expect, test } from 'vitest'
import { DENIED, OK, packet, takingToken } from '../chaos/hostile-scripts.ts'
import type { HostileSession, Script } from '../chaos/hostile-server.ts'
import { endingsDuring, scriptedServer, streamOf, unhandledDuring, VERSIONS } from './support.ts'

const { server, address, iam: settings } = await scriptedServer()

/** Takes any token, and leaves the answer to the first query to `answer`. */
const lettingIn = (answer: (session: HostileSession) => void): Script =>
  takingToken(async (session) => {
    const sent = session.inTls.length
    session.sendPacket(5, OK)
    await session.hasSent(sent + 1)
    answer(session)
  })

/** Answers a query with one row of one number. */
const answering = (value: number): Script =>
  lettingIn((session) => {
    const texts = (...items: string[]) =>
      Buffer.concat(items.flatMap((item) => [Buffer.of(item.length), Buffer.from(item)]))
    // Character set, length, type of BIGINT, flags, decimals and a filler.
    const attributes = Buffer.of(12, 63, 0, 21, 0, 0, 0, 8, 0, 0, 0, 0, 0)
    const column = Buffer.concat([texts('def', '', '', '', 'value', ''), attributes])
    const end = Buffer.of(0xfe, 0, 0, 2, 0)
    const packets = [Buffer.of(1), column, end, texts(String(value)), end]
    session.send(Buffer.concat(packets.map((payload, index) => packet(index + 1, payload))))
  })

describe.each(VERSIONS)('requireWriter with $name', ({ callbacks }) => {
  function open(script: Script, options = {}) {
    server.script = script
    const limiter = createRateLimiter({ limit: 20 })
    const iam = createAuroraIam({ ...settings, rateLimit: limiter, requireWriter: true })
    server.takeSessions()
    const connection = callbacks.createConnection(withAuroraIam({ ...address, ...options }, iam))
    const errors: unknown[] = []
    connection.on('error', (error) => errors.push(error))
    // As a pool does, which hands out a connection once it is logged in.
    const error = new Promise<unknown>((resolve) => {
      connection.once('connect', () => connection.query('SELECT 1', resolve))
      connection.once('error', resolve)
    })
    const stats = () => {
      const { connectionsOpened, connectionsFailed } = iam.stats()
      const { succeeded, failed, throttled, inFlight } = limiter.stats()
      return { connectionsOpened, connectionsFailed, succeeded, failed, throttled, inFlight }
    }
    return { connection, error, errors, iam, stats }
  }

  /** Statistics after a connection that the server accepted and that was not kept: no sign of throttling. */
  const NOT_KEPT = {
    connectionsOpened: 0,
    connectionsFailed: 1,
    succeeded: 1,
    failed: 0,
    throttled: 0,
    inFlight: 0,
  }

  test('a writer: the connection opens once it has answered', async () => {
    const { connection, stats, ...rest } = open(answering(0))
    const endings = await endingsDuring(() => until(() => stats().succeeded === 1))
    expect(endings).toEqual(['connect'])
    expect(stats()).toMatchObject({ connectionsOpened: 1, connectionsFailed: 0, inFlight: 0 })
    expect(rest.errors).toEqual([])
    expect(streamOf(connection).destroyed).toBe(false)
    connection.destroy()
  })

  test('a reader: the connection is destroyed, and the caller gets the reason', async () => {
    const { connection, error, stats, iam } = open(answering(1))
    const refusal = { code: 'ERR_AURORA_IAM_NOT_A_WRITER' }
    const endings = await endingsDuring(() => until(() => stats().succeeded === 1))
    expect(endings).toEqual([`connect-failed ${refusal.code}`])
    expect(await error).toMatchObject(refusal)
    expect(stats()).toEqual(NOT_KEPT)
    expect(iam.stats()).toMatchObject({ lastError: refusal })
    await until(() => streamOf(connection).destroyed)
  })

  test('a server that stops answering after its OK: a time-out after connectTimeout', async () => {
    const { connection, error, stats, iam } = open(
      lettingIn(() => {}),
      { connectTimeout: 1_000 },
    )
    expect(await error).toMatchObject({ code: 'ETIMEDOUT' })
    await until(() => stats().inFlight === 0)
    expect(stats()).toEqual(NOT_KEPT)
    expect(iam.stats().lastError).toMatchObject({ code: 'ETIMEDOUT' })
    await until(() => streamOf(connection).closed)
    // mysql2 writes another code to an error that TLS reports.
    expect(await error).toMatchObject({ code: 'ETIMEDOUT' })
  })

  test('a connection that breaks before the answer: it was accepted, and is not kept', async () => {
    const unhandled = await unhandledDuring(async () => {
      const { error, stats } = open(lettingIn((session) => session.destroy()))
      expect(await error).toMatchObject({
        code: expect.stringMatching(/^(PROTOCOL_CONNECTION_LOST|ECONNRESET)$/),
      })
      await until(() => stats().inFlight === 0)
      expect(stats()).toEqual(NOT_KEPT)
    })
    expect(unhandled).toEqual([])
  })

  test('an error in place of the answer: the connection ends, as its server is unknown', async () => {
    const unknown = { errno: 1193, sqlState: 'HY000', message: 'Unknown system variable' }
    const { connection, error, stats, iam } = open(
      lettingIn((session) => session.sendPacket(1, encodeErr(unknown))),
    )
    expect(await error).toMatchObject({ errno: 1193 })
    expect(stats()).toEqual(NOT_KEPT)
    expect(iam.stats().lastError).toMatchObject({ message: unknown.message })
    await until(() => streamOf(connection).destroyed)
  })

  test('OK in place of the row: the connection is not kept, as its server is unknown', async () => {
    const { error, stats } = open(lettingIn((session) => session.sendPacket(1, OK)))
    expect(await error).toMatchObject({ code: 'ERR_AURORA_IAM_NOT_A_WRITER' })
    expect(stats()).toEqual(NOT_KEPT)
  })

  test('a rejected login: the server’s own error, counted once, and nothing is asked', async () => {
    let rejected: HostileSession | undefined
    const { connection, error, stats } = open(
      takingToken((session) => {
        rejected = session
        session.sendPacket(5, DENIED)
      }),
    )
    expect(await error).toMatchObject({ errno: 1045 })
    expect(stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 1, failed: 1, inFlight: 0 })
    await until(() => streamOf(connection).destroyed)
    // What was written before would arrive by then.
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(rejected?.inTls.includes('innodb_read_only')).toBe(false)
  })

  test('a query of the caller that was queued before the login: the check comes first, and its refusal is the answer', async () => {
    server.script = answering(1)
    server.takeSessions()
    const iam = createAuroraIam({ ...settings, rateLimit: false, requireWriter: true })
    const connection = callbacks.createConnection(withAuroraIam(address, iam))
    connection.on('error', () => {})
    const error = await new Promise((resolve) => connection.query('SELECT 2', resolve))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_NOT_A_WRITER' })
    const [{ inTls }] = server.takeSessions() as [HostileSession]
    expect(inTls.includes('innodb_read_only')).toBe(true)
    expect(inTls.includes('SELECT 2')).toBe(false)
  })

  test('a connection that is destroyed as the OK arrives: no failure, and nothing is asked', async () => {
    let session: HostileSession | undefined
    const { connection, stats } = open(
      takingToken((one) => {
        session = one
        streamOf(connection).prependOnceListener('data', () => connection.destroy())
        one.sendPacket(5, OK)
      }),
    )
    await until(() => session && streamOf(connection).destroyed)
    await until(() => stats().inFlight === 0)
    expect(stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 0, throttled: 0, failed: 0 })
    expect(session?.inTls.includes('innodb_read_only')).toBe(false)
  })

  test('a connection that is destroyed before the answer: no failure', async () => {
    let destroy = () => {}
    const { connection, stats } = open(lettingIn(() => destroy()))
    destroy = () => connection.destroy()
    await new Promise((resolve) => connection.once('connect', resolve))
    await until(() => stats().inFlight === 0)
    expect(stats()).toMatchObject({ connectionsFailed: 0, throttled: 0, failed: 0 })
  })
})
