import { rootCertificates } from 'node:tls'
import type { Knex } from 'knex'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { auroraIamConnection, createAuroraIam, withAuroraIam } from '../src/index.ts'

const HOST = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const connection = { host: HOST, user: 'app', database: 'shop' }
const config = { client: 'mysql2', connection }

/** Returns what Knex gets when it calls the `connection` of a configuration. */
function settingsOf({ connection }: Knex.Config): Record<string, unknown> {
  if (typeof connection !== 'function') throw new Error('no function')
  return connection() as Record<string, unknown>
}

describe('withAuroraIam', () => {
  test("a configuration: the result is Knex's own, and keeps what is not needed", () => {
    const given = {
      ...config,
      pool: { min: 0, max: 7 },
      migrations: { directory: './migrations' },
      useNullAsDefault: true,
    }
    const result = withAuroraIam(given)
    expectTypeOf(result).toEqualTypeOf<Knex.Config>()
    expect(result).toMatchObject({ ...given, connection: expect.any(Function) })
  })

  test('`connection`: a function that returns the same settings each time, without expirationChecker', () => {
    const result = withAuroraIam(config)
    const settings = settingsOf(result)
    expect(settings).toBe(settingsOf(result))
    expect(settings).toMatchObject({ ...connection, port: 3306, stream: expect.any(Function) })
    expect(settings).not.toHaveProperty('expirationChecker')
    expect(settings).not.toHaveProperty('password')
  })

  test('TLS: chain and name are verified, also with authorities of the caller', () => {
    const ca = rootCertificates[0] as string
    const { ssl } = settingsOf(withAuroraIam({ ...config, connection: { ...connection, ssl: { ca } } }))
    expect(ssl).toMatchObject({ ca, rejectUnauthorized: true, verifyIdentity: true, minVersion: 'TLSv1.2' })
  })

  test('a URL: it becomes connection.uri', () => {
    const result = withAuroraIam({ client: 'mysql2', connection: { uri: `mysql://app@${HOST}:3307/shop` } })
    expect(settingsOf(result)).toMatchObject({ ...connection, port: 3307 })
  })

  test('`hostname`: signed and verified, whichever `connection.host` is dialled', () => {
    const tunnel = { ...config, connection: { ...connection, host: '127.0.0.1', port: 13_306 } }
    expect(settingsOf(withAuroraIam(tunnel, { hostname: HOST, port: 3306 }))).toMatchObject({
      host: HOST,
      port: 3306,
    })
  })

  test('instances that share an AuroraIam and an endpoint: one ssl object, so that TLS sessions resume', () => {
    const iam = createAuroraIam()
    const ssl = () => settingsOf(withAuroraIam(config, iam)).ssl
    expect(ssl()).toBe(ssl())
  })

  test('enabled: false leaves the plain password path unchanged', () => {
    const plain = { ...config, connection: { ...connection, host: 'localhost', password: 'local' } }
    expect(withAuroraIam(plain, { enabled: false })).toEqual(plain)
  })
})

describe('auroraIamConnection', () => {
  test('the result: a plain object, which a framework may write to', () => {
    const result = auroraIamConnection({ ...connection, timezone: 'Z' })
    expectTypeOf(result).toEqualTypeOf<Knex.MySql2ConnectionConfig>()
    expect(Object.isExtensible(result)).toBe(true)
    expect(result).toMatchObject({ ...connection, timezone: 'Z', stream: expect.any(Function) })
  })

  test('the argument: unchanged', () => {
    const frozen = Object.freeze({ ...connection })
    expect(auroraIamConnection(frozen)).not.toBe(frozen)
    expect(frozen).toEqual(connection)
  })

  test('enabled: false leaves the plain password path unchanged', () => {
    const plain = { ...connection, host: 'localhost', password: 'local' }
    expect(auroraIamConnection(plain, { enabled: false })).toEqual(plain)
  })
})
