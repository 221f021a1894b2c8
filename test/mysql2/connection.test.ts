import { createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { gateLimiter } from '@aurora-iam/test-support/gate-limiter'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { startProxy } from '@aurora-iam/test-support/proxy'
import { callbackErrorOf, rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { addressOf, unhandledDuring, VERSIONS } from './support.ts'

const aurora = await localAurora()

afterEach(() => vi.restoreAllMocks())

const unlimited = () => ({ ...aurora.iam, rateLimit: false as const })

describe.each(VERSIONS)('connections of $name', ({ callbacks, promises }) => {
  test('the callback API: it connects explicitly and by a first query', async () => {
    const connection = callbacks.createConnection(withAuroraIam(addressOf(aurora), unlimited()))
    expect(await callbackErrorOf((done) => connection.connect(done))).toBeNull()
    const implicit = callbacks.createConnection(withAuroraIam(addressOf(aurora), unlimited()))
    const rows = await new Promise((resolve, reject) => {
      implicit.query('SELECT 1 AS one', (error, result) => (error ? reject(error) : resolve(result)))
    })
    expect(rows).toEqual([{ one: 1 }])
    for (const open of [connection, implicit]) await new Promise((resolve) => open.end(resolve))
  })

  test('the pool of the callback API: it connects', async () => {
    const pool = callbacks.createPool(
      withAuroraIam({ ...addressOf(aurora), connectionLimit: 2 }, unlimited()),
    )
    const [rows] = await pool.promise().query('SELECT 1 AS one')
    expect(rows).toEqual([{ one: 1 }])
    expect(await callbackErrorOf((done) => pool.query('SELECT 1', done))).toBeNull()
    await new Promise((resolve) => pool.end(resolve))
  })

  test('connection.destroy() during the wait for a permit: it leaves the queue, and nothing is opened', async () => {
    const { limiter, grant } = await gateLimiter()
    const iam = { ...aurora.iam, rateLimit: limiter }
    const unhandled = await unhandledDuring(async () => {
      const destroyed = callbacks.createConnection(withAuroraIam(addressOf(aurora), iam))
      await until(() => limiter.stats().waiting === 1)
      destroyed.destroy()
      await until(() => limiter.stats().waiting === 0)
      grant()
      const next = await promises.createConnection(withAuroraIam(addressOf(aurora), iam))
      await next.end()
    })
    expect(unhandled).toEqual([])
    expect(aurora.log.connections).toBe(1)
    expect(limiter.stats()).toMatchObject({ succeeded: 1, inFlight: 0 })
  })

  test('connection.destroy() at the moment of the grant: the permit is released', async () => {
    const { limiter, grant } = await gateLimiter()
    const iam = { ...aurora.iam, rateLimit: limiter }
    const destroyed = callbacks.createConnection(withAuroraIam(addressOf(aurora), iam))
    await until(() => limiter.stats().waiting === 1)
    grant()
    destroyed.destroy()
    const next = await promises.createConnection(withAuroraIam(addressOf(aurora), iam))
    await next.end()
    expect(aurora.log.connections).toBe(1)
    expect(limiter.stats()).toMatchObject({ succeeded: 1, inFlight: 0 })
  })

  test('connection.destroy() while the server checks the token: no throttling', async () => {
    const limiter = createRateLimiter({ limit: 20 })
    const iam = createAuroraIam({ ...aurora.iam, rateLimit: limiter })
    aurora.faults.set({ authDelayMs: 200 })
    for (let i = 1; i <= 2; i++) {
      const connection = callbacks.createConnection(withAuroraIam(addressOf(aurora), iam))
      await until(() => aurora.log.tokensReceived === i)
      connection.destroy()
      await until(() => limiter.stats().inFlight === 0 && aurora.openConnections === 0)
    }
    expect(limiter.stats()).toMatchObject({ throttled: 0, failed: 0, effectiveLimit: 20 })
    expect(iam.stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 0 })
  })

  test('the server closes the connection while it has the token: reported as throttling', async () => {
    const limiter = createRateLimiter({ limit: 20 })
    const iam = createAuroraIam({ ...aurora.iam, rateLimit: limiter })
    aurora.faults.set({ authDelayMs: 10_000 })
    const connecting = promises.createConnection(withAuroraIam(addressOf(aurora), iam))
    const lost = { code: expect.stringMatching(/^(PROTOCOL_CONNECTION_LOST|ECONNRESET)$/) }
    const rejected = expect(connecting).rejects.toMatchObject(lost)
    await until(() => aurora.log.tokensReceived === 1)
    aurora.faults.dropConnections()
    await rejected
    expect(limiter.stats()).toMatchObject({ throttled: 1, inFlight: 0 })
    expect(iam.stats()).toMatchObject({ connectionsFailed: 1 })
  })

  test('a connection reset at the server’s request for a token: no second permit is taken', async () => {
    const limiter = createRateLimiter({ limit: 20 })
    await using cutting = await resettingDoor(3)
    const iam = createAuroraIam({ ...aurora.iam, port: aurora.port, rateLimit: limiter })
    const options = withAuroraIam({ ...addressOf(aurora), port: cutting.port }, iam)
    const lost = { code: expect.stringMatching(/^(PROTOCOL_CONNECTION_LOST|ECONNRESET)$/) }
    await expect(promises.createConnection(options)).rejects.toMatchObject(lost)
    await until(() => limiter.stats().inFlight === 0)
    expect(limiter.stats()).toMatchObject({ granted: 1, waiting: 0, throttled: 0 })
    expect(iam.stats()).toMatchObject({ connectionsFailed: 1 })
    expect([...aurora.log].map(({ type }) => type)).toContain('tls')
    expect(aurora.log.tokensReceived).toBe(0)
  })

  test('connectTimeout: it counts from the opening of the socket, not from the wait for a permit', async () => {
    const { limiter, grant } = await gateLimiter()
    const connecting = promises.createConnection(
      withAuroraIam({ ...addressOf(aurora), connectTimeout: 500 }, { ...aurora.iam, rateLimit: limiter }),
    )
    await until(() => limiter.stats().waiting === 1)
    await new Promise((resolve) => setTimeout(resolve, 600))
    grant()
    const connection = await connecting
    expect(await connection.query('SELECT 1 AS one').then(([rows]) => rows)).toEqual([{ one: 1 }])
    await connection.end()
  })

  test('several connections that fail for one reason: each gets a separate error object, and may write to it', async () => {
    const credentials = async () => {
      throw Object.freeze(new Error('the role cannot be assumed'))
    }
    const iam = createAuroraIam({ ...unlimited(), credentials })
    const pool = callbacks.createPool(withAuroraIam({ ...addressOf(aurora), connectionLimit: 2 }, iam))
    const failures = [0, 1].map(() => callbackErrorOf((done) => pool.getConnection(done)))
    const [one, other] = await Promise.all(failures)
    expect(one).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE' })
    expect(other).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE' })
    expect(one).not.toBe(other)
    expect(Object.isExtensible(one)).toBe(true)
    await new Promise((resolve) => pool.end(resolve))
  })

  test('the options that mysql2 is given: it warns of none', async () => {
    const complaints = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn'), vi.spyOn(console, 'log')]
    const pool = promises.createPool(withAuroraIam(addressOf(aurora), unlimited()))
    await pool.query('SELECT 1')
    await pool.end()
    const connection = await promises.createConnection(withAuroraIam(addressOf(aurora), unlimited()))
    await connection.end()
    for (const complaint of complaints) expect(complaint).not.toHaveBeenCalled()
  })

  test('`debug` added behind withAuroraIam: the login fails, and the token is neither sent nor printed', async () => {
    const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
    const iam = unlimited()
    const options = { ...withAuroraIam(addressOf(aurora), iam), debug: true }
    const error = await rejectionOf(promises.createConnection(options))
    const output = JSON.stringify(printed.mock.calls)
    printed.mockRestore()
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS' })
    // It prints packets in hexadecimal.
    expect(output).not.toContain(Buffer.from('X-Amz-Signature').toString('hex'))
    expect(output.length).toBeGreaterThan(100)
    expect(aurora.log.logins).toHaveLength(0)
  })

  test('other options of mysql2: they keep their effect', async () => {
    const options = { dateStrings: true, namedPlaceholders: true, multipleStatements: true, compress: true }
    const connection = await promises.createConnection(
      withAuroraIam({ ...addressOf(aurora), ...options }, unlimited()),
    )
    const [rows] = await connection.query('SELECT :n AS n; SELECT DATE("2020-02-29") AS day', { n: 7 })
    expect(rows).toEqual([[{ n: 7 }], [{ day: '2020-02-29' }]])
    const [prepared] = await connection.execute('SELECT :word AS word', { word: 'x'.repeat(100_000) })
    expect(prepared).toEqual([{ word: 'x'.repeat(100_000) }])
    await connection.end()
  })
})

/** Starts a proxy to Local Aurora that resets after `count` packets of the server: greeting, TLS, question. */
function resettingDoor(count: number) {
  let said = 0
  return startProxy(aurora.port, {
    said: (bytes, onto, isAnswer) => {
      onto.write(bytes)
      if (isAnswer && ++said === count) onto.resetAndDestroy()
    },
  })
}
