import { createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { until } from '@aurora-iam/test-support/until'
import { encodeErr } from '@aurora-iam/wire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CLEAR_PASSWORD_WANTED, OK, trusted } from '../chaos/hostile-scripts.ts'
import { type HostileServer, type HostileSession, startHostileServer } from '../chaos/hostile-server.ts'
import { addressOf, endingsDuring, VERSIONS } from './support.ts'

const aurora = await localAurora()
let server: HostileServer

beforeAll(async () => {
  server = await startHostileServer(aurora.hostname)
})

afterAll(() => server.close())

/** Takes any token, and leaves the answer to the first query to `answer`. */
const lettingIn = (answer: (session: HostileSession) => void) =>
  trusted(async (session) => {
    session.sendPacket(3, CLEAR_PASSWORD_WANTED)
    await session.hasSent(session.inTls.length + 1)
    session.sendPacket(5, OK)
    await session.hasSent(session.inTls.length + 1)
    answer(session)
  })

function watched() {
  const limiter = createRateLimiter({ limit: 20 })
  const ca = [aurora.ca, server.certificates.ca]
  const iam = createAuroraIam({ ...aurora.iam, ca, rateLimit: limiter, requireWriter: true })
  return { limiter, iam }
}

describe.each(VERSIONS)('requireWriter with $name', ({ callbacks, promises }) => {
  function hostilePool(connectTimeout: number) {
    const { limiter, iam } = watched()
    const address = { ...addressOf(aurora), port: server.port }
    const pool = promises.createPool(withAuroraIam({ ...address, connectTimeout }, iam))
    return { limiter, iam, pool }
  }

  /** Expects that the token was accepted, without a sign of throttling, and that the connection was not kept. */
  async function expectNotKept({ iam, limiter }: Pick<ReturnType<typeof hostilePool>, 'iam' | 'limiter'>) {
    await until(() => limiter.stats().inFlight === 0)
    expect(iam.stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 1 })
    expect(limiter.stats()).toMatchObject({ succeeded: 1, failed: 0, throttled: 0, effectiveLimit: 20 })
  }

  test('a server that stops answering after its OK: a time-out after connectTimeout', async () => {
    server.script = lettingIn(() => {})
    const { pool, ...rest } = hostilePool(300)
    await expect(pool.query({ sql: 'SELECT 1', timeout: 200 })).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    await expectNotKept(rest)
    expect(rest.iam.stats().lastError).toMatchObject({ code: 'ETIMEDOUT' })
    await pool.end()
  })

  test('a connection that breaks before the answer: it was accepted, and is not kept', async () => {
    server.script = lettingIn((session) => session.destroy())
    const { pool, ...rest } = hostilePool(10_000)
    const lost = /^(PROTOCOL_CONNECTION_LOST|ECONNRESET)$/
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: expect.stringMatching(lost) })
    await expectNotKept(rest)
    await pool.end()
  })

  test('an error in place of the answer: the connection ends, as its server is unknown', async () => {
    const error = { errno: 1193, sqlState: 'HY000', message: 'Unknown system variable' }
    server.script = lettingIn((session) => session.sendPacket(1, encodeErr(error)))
    const { pool, ...rest } = hostilePool(10_000)
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ errno: 1193 })
    await expectNotKept(rest)
    expect(rest.iam.stats().lastError).toMatchObject({ message: error.message })
    await pool.end()
  })

  test('a rejected login: the server’s own error, counted once', async () => {
    aurora.faults.set({ refuse: 'NotAuthorized' })
    const { limiter, iam } = watched()
    const pool = promises.createPool(withAuroraIam(addressOf(aurora), iam))
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ errno: 1045 })
    expect(iam.stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 1 })
    expect(limiter.stats()).toMatchObject({ succeeded: 0, failed: 1, inFlight: 0 })
    await pool.end()
  })

  test('a writer: the connection opens after it has answered', async () => {
    const { limiter, iam } = watched()
    const pool = promises.createPool(withAuroraIam(addressOf(aurora), iam))
    const events = await endingsDuring(() => pool.query('SELECT 1'))
    expect(events).toEqual(['connect'])
    expect(iam.stats()).toMatchObject({ connectionsOpened: 1, connectionsFailed: 0, lastError: undefined })
    expect(limiter.stats()).toMatchObject({ succeeded: 1, inFlight: 0 })
    await pool.end()
  })

  test('a connection that is destroyed before the answer: no failure', async () => {
    let destroy = () => {}
    server.script = lettingIn(() => destroy())
    const { limiter, iam } = watched()
    const options = withAuroraIam({ ...addressOf(aurora), port: server.port }, iam)
    const connection = callbacks.createConnection(options)
    destroy = () => connection.destroy()
    await new Promise((resolve) => connection.once('connect', resolve))
    await until(() => limiter.stats().inFlight === 0)
    expect(iam.stats()).toMatchObject({ connectionsFailed: 0 })
    expect(limiter.stats()).toMatchObject({ throttled: 0, failed: 0 })
  })
})

describe.each(VERSIONS)('requireWriter with $name, before a reader', ({ promises }) => {
  test('each connection that leads to a reader: one connect-failed event', async () => {
    await aurora.restart({ readOnly: true })
    const { limiter, iam } = watched()
    const pool = promises.createPool(withAuroraIam({ ...addressOf(aurora), connectionLimit: 2 }, iam))
    const events = await endingsDuring(() =>
      Promise.allSettled([pool.query('SELECT 1'), pool.query('SELECT 1')]),
    )
    const reason = 'ERR_AURORA_IAM_NOT_A_WRITER'
    expect(events).toEqual([`connect-failed ${reason}`, `connect-failed ${reason}`])
    expect(iam.stats()).toMatchObject({
      connectionsOpened: 0,
      connectionsFailed: 2,
      lastError: { code: reason },
    })
    expect(limiter.stats()).toMatchObject({ succeeded: 2, throttled: 0, inFlight: 0 })
    await pool.end()
    await aurora.restart()
  })
})
