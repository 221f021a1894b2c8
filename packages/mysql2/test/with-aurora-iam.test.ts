import { rootCertificates } from 'node:tls'
import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import type { ConnectionOptions, PoolOptions } from 'mysql2'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { createAuroraIam, type Mysql2Options, withAuroraIam } from '../src/index.ts'

const HOST = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'

describe('withAuroraIam', () => {
  test("options: the result is mysql2's own", () => {
    const options: PoolOptions = {
      host: HOST,
      user: 'app',
      database: 'shop',
      connectionLimit: 7,
      namedPlaceholders: true,
    }
    const result = withAuroraIam(options)
    expectTypeOf(result).toExtend<PoolOptions>()
    expectTypeOf(result).toExtend<ConnectionOptions>()
    expect(result).toMatchObject({
      host: HOST,
      port: 3306,
      user: 'app',
      database: 'shop',
      connectionLimit: 7,
      namedPlaceholders: true,
    })
    expect(result).not.toHaveProperty('password')
  })

  test('options of ours: mysql2 gets none that it does not know', () => {
    const known = ['host', 'port', 'user', 'ssl', 'connectTimeout', 'stream', 'authPlugins']
    expect(Object.keys(withAuroraIam({ host: HOST, user: 'app' })).sort()).toEqual(known.sort())
  })

  test('TLS: chain and name are verified, from TLS 1.2 on', () => {
    const { ssl } = withAuroraIam({ host: HOST, user: 'app' })
    expect(ssl).toMatchObject({ rejectUnauthorized: true, verifyIdentity: true, minVersion: 'TLSv1.2' })
    const ca = rootCertificates[0] as string
    const own = withAuroraIam({
      host: HOST,
      user: 'app',
      ssl: { minVersion: 'TLSv1.3', ca },
    })
    expect(own.ssl).toMatchObject({
      rejectUnauthorized: true,
      verifyIdentity: true,
      minVersion: 'TLSv1.3',
      ca,
    })
  })

  test('pools that share an AuroraIam and an endpoint: one ssl object, so that TLS sessions resume', () => {
    const iam = createAuroraIam()
    const ssl = (host: string) => withAuroraIam({ host, user: 'app' }, iam).ssl
    expect(ssl(HOST)).toBe(ssl(HOST))
    expect(ssl(HOST)).not.toBe(ssl(HOST.replace('cluster-', 'cluster-ro-')))
  })

  test("another driver's name of the user beside `user`: passed on, as mysql2 ignores it", () => {
    const options = { host: HOST, user: 'app', username: 'other' } as Mysql2Options
    expect(withAuroraIam(options)).toMatchObject({ user: 'app', username: 'other' })
  })

  test('`hostname`: signed and verified, whichever `host` is dialled', () => {
    const result = withAuroraIam(
      { host: '127.0.0.1', port: 13_306, user: 'app' },
      { hostname: HOST, port: 3306 },
    )
    expect(result).toMatchObject({ host: HOST, port: 3306 })
  })

  test('connectTimeout: the wait for a permit is added, and 0 stays no limit', () => {
    const iam = { maxWaitMs: 5_000, credentialsTimeoutMs: 1_000 }
    const timeout = (connectTimeout?: number) =>
      withAuroraIam({ host: HOST, user: 'app', connectTimeout }, iam).connectTimeout
    expect(timeout()).toBe(10_000 + 5_000 + 3_000)
    expect(timeout(2_000)).toBe(2_000 + 5_000 + 3_000)
    expect(timeout(0)).toBe(0)
  })

  test('the longest possible wait: mysql2 does not time out at once', () => {
    const longestTimerMs = 2 ** 31 - 1
    const { connectTimeout } = withAuroraIam({ host: HOST, user: 'app' }, { maxWaitMs: longestTimerMs })
    expect(connectTimeout).toBe(longestTimerMs)
  })

  test('other authentication plugins of the caller: kept', () => {
    const dialog = () => () => 'x'
    const { authPlugins } = withAuroraIam({ host: HOST, user: 'app', authPlugins: { dialog } })
    expect(authPlugins?.dialog).toBe(dialog)
    expect(authPlugins?.mysql_clear_password).toBeTypeOf('function')
  })

  test('another driver calls `stream`, as that of mariadb does: refused', () => {
    const { stream } = withAuroraIam({ host: HOST, user: 'app' })
    for (const call of [undefined, null, () => {}, {}]) {
      expect(errorThrownBy(() => stream(call))).toMatchObject({
        code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
        option: 'stream',
        message: expect.stringContaining('another driver than mysql2'),
      })
    }
  })

  test('a uri: read as mysql2 reads it; an option beside it wins', () => {
    const uri = `mysql://app%40corp@${HOST}:3307/shop?connectionLimit=3&timezone=Z`
    const result = withAuroraIam({ uri, database: 'other' })
    expect(result).toMatchObject({
      host: HOST,
      port: 3307,
      user: 'app@corp',
      database: 'other',
      connectionLimit: 3,
      timezone: 'Z',
    })
    expect(result).not.toHaveProperty('uri')
  })

  test('a uri without port and database: the default port, and no database', () => {
    const result = withAuroraIam({ uri: `mysql://app@${HOST}` })
    expect(result).toMatchObject({ host: HOST, port: 3306, user: 'app' })
    expect(Object.keys(result)).not.toContain('database')
  })

  test('options beside a uri that are undefined or empty: those of the uri count', () => {
    const uri = `mysql://app@${HOST}/shop?timezone=Z`
    const result = withAuroraIam({ uri, host: '', user: undefined, database: '', timezone: undefined })
    expect(result).toMatchObject({ host: HOST, user: 'app', database: 'shop', timezone: 'Z' })
  })

  test('values that configuration files write for no password: accepted', () => {
    for (const password of [undefined, null, '', false]) {
      const options = { host: HOST, user: 'app', password } as Mysql2Options
      expect(withAuroraIam(options)).toMatchObject({ user: 'app' })
    }
  })

  test.each([{ uri: 'mysql://root:secret@127.0.0.1' }, { passwordSha1: Buffer.alloc(20) }])(
    'with enabled: false and a password in %o: accepted',
    (options) => {
      expect(withAuroraIam(options as Mysql2Options, { enabled: false })).toEqual(options)
    },
  )

  test('with enabled: false the options stay unchanged: the plain password path', () => {
    const options = { host: '127.0.0.1', user: 'root', password: '', ssl: {} }
    const result = withAuroraIam(options, { enabled: false, region: 'eu-west-1' })
    expect(result).toEqual(options)
    expect(result).not.toBe(options)
  })
})
