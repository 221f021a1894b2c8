import { type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { managedPool, warmUp, withAuroraIam, withLoginRetry } from '@aurora-iam/mysql2'
import { errorThrownBy, rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { encodeErr } from '@aurora-iam/wire'
import type { Pool, PoolConnection } from 'mysql2/promise'
import { afterEach, describe, expect, test } from 'vitest'
import { DENIED, greeting, OK, packet, takingToken } from '../chaos/hostile-scripts.ts'
import type { HostileSession, Script } from '../chaos/hostile-server.ts'
import { scriptedServer, streamOf, VERSIONS } from './support.ts'

const COM_QUIT = 1
const READ_ONLY = encodeErr({
  errno: 1290,
  sqlState: 'HY000',
  message: 'The MySQL server is running with the --read-only option so it cannot execute this statement',
})

const { server, address, iam: settings } = await scriptedServer()
const pools: Array<Pick<Pool, 'end'>> = []

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end()
})

/** Answers each statement: an UPDATE as a server does that was demoted, any other with OK. */
async function serve(session: HostileSession): Promise<void> {
  for (let seen = session.inTls.length; await session.hasSent(seen + 1); seen = session.inTls.length) {
    const asked = session.inTls.subarray(seen)
    if (asked[4] === COM_QUIT) return session.end()
    session.sendPacket(1, asked.includes('UPDATE') ? READ_ONLY : OK)
  }
}

const letIn: Script = takingToken((session) => {
  session.sendPacket(5, OK)
  return serve(session)
})

const deny: Script = takingToken((session) => session.sendPacket(5, DENIED))

/** Follows each script on one connection, and the last one from then on. */
function follow(...scripts: readonly [Script, ...Script[]]): { connections: number } {
  const count = { connections: 0 }
  server.script = (session) => (scripts[count.connections++] ?? scripts.at(-1)!)(session)
  return count
}

describe.each(VERSIONS)('a view of a pool of $name', ({ callbacks, promises }) => {
  function options(connectionLimit: number, iam: AuroraIamOptions = {}) {
    const shared = createAuroraIam({ ...settings, rateLimit: false, ...iam })
    return { iam: shared, options: withAuroraIam({ ...address, connectionLimit }, shared) }
  }

  function keep<P extends Pick<Pool, 'end'>>(pool: P): P {
    pools.push(pool)
    return pool
  }

  // mysql2's `destroy()` ends the stream, which closes later.
  const isOpen = (connection: PoolConnection) =>
    streamOf((connection as unknown as { connection: object }).connection).writable

  const managed = (connectionLimit: number) => {
    const { iam, options: given } = options(connectionLimit)
    return { iam, pool: keep(managedPool(promises.createPool(given as never))) }
  }

  test('1290: idle connections are closed at once, those in use when they return, and the next ones are new', async () => {
    const opened = follow(letIn)
    const { iam, pool } = managed(3)
    const [failing, first, idle] = await Promise.all([0, 1, 2].map(() => pool.getConnection()))
    first!.release()
    const busy = await pool.getConnection()
    idle!.release()
    expect(await rejectionOf(failing!.query('UPDATE t SET a = 1'))).toMatchObject({ errno: 1290 })
    expect([failing, busy, idle].map((one) => isOpen(one!))).toEqual([true, true, false])
    expect(iam.stats().pools).toMatchObject([{ open: 2, retiring: 2, retired: { 'read-only': 3 } }])
    await busy!.query('SELECT 1')
    for (const one of [failing, busy]) one!.release()
    await until(() => iam.stats().pools.length === 0)
    const next = await pool.getConnection()
    expect(opened.connections).toBe(4)
    expect(iam.stats().pools).toMatchObject([{ open: 1, retiring: 0 }])
    next.release()
  })

  test('callers wait for a connection that is retired: none of them gets it', async () => {
    const opened = follow(letIn)
    const { pool } = managed(1)
    const held = await pool.getConnection()
    const next = pool.getConnection()
    await rejectionOf(held.query('UPDATE t SET a = 1'))
    held.release()
    const other = await next
    expect(isOpen(held)).toBe(false)
    expect(isOpen(other)).toBe(true)
    expect(opened.connections).toBe(2)
    other.release()
  })

  test('a connection that the server closes: no longer counted', async () => {
    let end = () => {}
    follow(
      takingToken((session) => {
        end = () => session.destroy()
        session.sendPacket(5, OK)
      }),
    )
    const { iam, pool } = managed(2)
    const connection = await pool.getConnection()
    connection.release()
    expect(iam.stats().pools).toMatchObject([{ open: 1 }])
    end()
    await until(() => iam.stats().pools.length === 0)
  })

  test('a connection whose server vanished: counted as dead', async () => {
    follow(letIn)
    const { iam, pool } = managed(2)
    const [vanished, other] = await Promise.all([0, 1].map(() => pool.getConnection()))
    const { connection } = vanished as unknown as { connection: object }
    streamOf(connection).destroy(Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' }))
    await until(() => iam.stats().pools[0]?.open === 1)
    expect(iam.stats().pools).toMatchObject([{ retired: { dead: 1 } }])
    other!.release()
  })

  test('the callback API: managed as well', async () => {
    follow(letIn)
    const { iam, options: given } = options(1)
    const pool = managedPool(callbacks.createPool(given as never))
    keep(pool.promise())
    const error = await new Promise((resolve) => pool.query('UPDATE t SET a = 1', resolve))
    expect(error).toMatchObject({ errno: 1290 })
    await until(() => iam.stats().pools.length === 0)
  })

  test('managedPool of a managed pool: the same one, and each connection is counted once', async () => {
    follow(letIn)
    const { iam, pool } = managed(1)
    expect(managedPool(pool)).toBe(pool)
    const { pool: view } = pool as unknown as { pool: object }
    expect(managedPool(view as never)).toBe(view)
    ;(await pool.getConnection()).release()
    expect(iam.stats().pools).toMatchObject([{ open: 1 }])
  })

  test('managedPool of one pool twice, and of a view of a managed pool: one lifetime', async () => {
    follow(letIn)
    const { iam, options: given } = options(1)
    const pool = keep(promises.createPool(given as never))
    const views = [managedPool(pool), managedPool(pool), managedPool(withLoginRetry(managedPool(pool), iam))]
    for (const view of views) (await view.getConnection()).release()
    expect(iam.stats().pools).toMatchObject([{ open: 1 }])
    const held = await views[1]!.getConnection()
    await rejectionOf(held.query('UPDATE t SET a = 1'))
    expect(iam.stats().pools).toMatchObject([{ retiring: 1, retired: { 'read-only': 1 } }])
    held.release()
    await until(() => iam.stats().pools.length === 0)
  })

  test('withLoginRetry of a retrying pool: the same one, and a rejected login is repeated once', async () => {
    const { iam, options: given } = options(1)
    const pool = keep(promises.createPool(given as never))
    const retrying = withLoginRetry(pool, iam)
    expect(withLoginRetry(retrying, iam)).toBe(retrying)
    const stacked = withLoginRetry(managedPool(retrying), iam)
    const opened = follow(letIn, deny)
    ;(await stacked.getConnection()).destroy()
    expect(await rejectionOf(stacked.getConnection())).toMatchObject({ errno: 1045 })
    expect(opened.connections).toBe(3)
  })

  test('withLoginRetry with enabled: false: the same pool, as on a laptop', () => {
    const iam = createAuroraIam({ enabled: false })
    const { host, port } = address
    const plain = withAuroraIam({ host, port, user: 'app', password: '' }, iam)
    const pool = keep(promises.createPool(plain as never))
    expect(withLoginRetry(pool, iam)).toBe(pool)
    const { iam: other, options: given } = options(1)
    expect(errorThrownBy(() => withLoginRetry(pool, other))).toMatchObject({ option: 'pool' })
    const signed = keep(promises.createPool(given as never))
    expect(errorThrownBy(() => withLoginRetry(signed, iam))).toMatchObject({ option: 'iam' })
  })

  test('connections by password: they have no lifetime, and are kept', async () => {
    server.script = async (session) => {
      session.send(greeting('MySQL'))
      await session.hasSent(1)
      session.send(packet(2, OK))
    }
    const { host, port } = address
    const plain = withAuroraIam({ host, port, user: 'app', password: '' }, { enabled: false })
    const pool = keep(managedPool(callbacks.createPool(plain as never)).promise())
    const connection = await pool.getConnection()
    connection.release()
    expect(isOpen(connection)).toBe(true)
    connection.destroy()
  })

  test.each([{ maxLifetimeMs: 60_000 }, { watchEndpointMs: 1_000 }, { retireDemoted: true }])(
    '%o: refused by name before any socket, and accepted with managedPool',
    async (option) => {
      const opened = follow(letIn)
      const given = () => withAuroraIam(address, { ...settings, ...option }) as never
      const [name] = Object.keys(option)
      const refusal = {
        code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
        option: name,
        message: expect.stringMatching(`^${name}: has no effect on a single connection.*managedPool`),
      }
      const pool = callbacks.createPool(given())
      keep(pool.promise())
      expect(await new Promise((resolve) => pool.query('SELECT 1', resolve))).toMatchObject(refusal)
      expect(opened.connections).toBe(0)
      await keep(managedPool(promises.createPool(given()))).query('SELECT 1')
      expect(opened.connections).toBe(1)
    },
  )

  test.each(['callback', 'promise'])(
    'a token that was accepted and is rejected, %s API: one login more, with a new token',
    async (api) => {
      const opened = follow(letIn, deny, letIn)
      const { iam, options: given } = options(2)
      const callbackPool = callbacks.createPool(given as never)
      const pool = keep(
        api === 'promise'
          ? withLoginRetry(promises.createPool(given as never), iam)
          : withLoginRetry(callbackPool, iam).promise(),
      )
      const [one, other] = [await pool.getConnection(), await pool.getConnection()]
      expect(opened.connections).toBe(3)
      expect(iam.stats()).toMatchObject({ tokensSigned: 2, connectionsOpened: 2, connectionsFailed: 1 })
      for (const connection of [one, other]) connection.release()
    },
  )

  test('a login that is rejected with a new token: no retry', async () => {
    const opened = follow(deny)
    const { iam, options: given } = options(1)
    const pool = keep(withLoginRetry(promises.createPool(given as never), iam))
    expect(await rejectionOf(pool.getConnection())).toMatchObject({ errno: 1045 })
    expect(opened.connections).toBe(1)
  })

  test('login retry with another AuroraIam than the pool’s, with none, and without IAM: refused', () => {
    const { options: given } = options(1)
    const pool = keep(promises.createPool(given as never))
    const plain = keep(promises.createPool({ host: '127.0.0.1', user: 'app' }))
    const refusalOf = (one: Pool, iam: unknown) => errorThrownBy(() => withLoginRetry(one, iam as never))
    expect(refusalOf(pool, createAuroraIam(settings))).toMatchObject({
      code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      option: 'iam',
    })
    for (const none of [undefined, null])
      expect(refusalOf(pool, none)).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'iam' })
    const unknown = { getConnection() {}, releaseConnection() {}, end() {} }
    for (const one of [plain, unknown as never])
      expect(refusalOf(one, createAuroraIam(settings))).toMatchObject({
        code: 'ERR_AURORA_IAM_INVALID_OPTION',
        option: 'pool',
      })
  })

  test.each([undefined, null, 'mysql://x', {}, { getConnection() {} }, { releaseConnection() {} }])(
    '%o in place of a pool: refused by each view',
    async (pool) => {
      const refusal = { code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'pool' }
      expect(await rejectionOf(warmUp(pool as never, 1))).toMatchObject(refusal)
      expect(errorThrownBy(() => managedPool(pool as never))).toMatchObject(refusal)
      expect(errorThrownBy(() => withLoginRetry(pool as never, createAuroraIam(settings)))).toMatchObject(
        refusal,
      )
    },
  )

  test('warmUp: as many connections as wanted are open, and each is back in the pool', async () => {
    const opened = follow(letIn)
    const { options: given } = options(3)
    const pool = keep(promises.createPool(given as never))
    await warmUp(pool, 3)
    expect(opened.connections).toBe(3)
    const held = await Promise.all([0, 1, 2].map(() => pool.getConnection()))
    expect(opened.connections).toBe(3)
    for (const connection of held) connection.release()
  })

  test('warmUp with more connections than the pool’s limit: refused, and 0 is no limit', async () => {
    const opened = follow(letIn)
    const limited = keep(promises.createPool(options(2).options as never))
    expect(await rejectionOf(warmUp(limited, 3))).toMatchObject({ option: 'count' })
    expect(opened.connections).toBe(0)
    const unlimited = keep(promises.createPool(options(0).options as never))
    await warmUp(unlimited, 2)
    expect(opened.connections).toBe(2)
  })

  test('warmUp of connections that fail: it rejects with the first error', async () => {
    follow(deny)
    const pool = keep(promises.createPool(options(2).options as never))
    expect(await rejectionOf(warmUp(pool, 2))).toMatchObject({ errno: 1045 })
  })
})
