import { AuroraIamError } from '@aurora-iam/core'
import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import knex, { type Knex } from 'knex'
import { describe, expect, test } from 'vitest'
import { auroraIamConnection, withAuroraIam } from '../src/index.ts'

const HOST = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const connection = { host: HOST, user: 'app', database: 'shop' }

type Refusal = readonly [what: string, config: unknown, code: string, option: string]

const OF_CONFIG: readonly Refusal[] = [
  ['no configuration', undefined, 'INVALID_OPTION', 'config'],
  ['a URL in its place', `mysql://app:hush@${HOST}/shop`, 'INVALID_OPTION', 'config'],
  ['no client', { client: undefined }, 'INVALID_OPTION', 'client'],
  ['the older driver', { client: 'mysql' }, 'INVALID_OPTION', 'client'],
  ['another database', { client: 'pg' }, 'INVALID_OPTION', 'client'],
  ['a client class', { client: knex.Client }, 'INVALID_OPTION', 'client'],
  ['a dialect in place of a client', { client: undefined, dialect: 'mysql2' }, 'INVALID_OPTION', 'client'],
  ['a separate pool', { connectionPool: {} }, 'CONFLICTING_OPTIONS', 'connectionPool'],
]

const OF_CONNECTION: readonly Refusal[] = [
  ['none', undefined, 'INVALID_OPTION', 'connection'],
  ['null', null, 'INVALID_OPTION', 'connection'],
  ['a list', [connection], 'INVALID_OPTION', 'connection'],
  ['a URL', `mysql://app:hush@${HOST}/shop`, 'INVALID_OPTION', 'connection'],
  ['a function', () => connection, 'INVALID_OPTION', 'connection'],
  [
    'an expirationChecker',
    { expirationChecker: () => true },
    'CONFLICTING_OPTIONS',
    'connection.expirationChecker',
  ],
  ['a password', { password: 'hush' }, 'PASSWORD_GIVEN', 'connection.password'],
  [
    'a password in the uri',
    { uri: `mysql://app:hush@${HOST}/shop` },
    'PASSWORD_GIVEN',
    'connection.password',
  ],
  ['a uri that is no URL', { uri: 'hush' }, 'INVALID_OPTION', 'connection.uri'],
  ['ssl: false', { ssl: false }, 'TLS_REQUIRED', 'connection.ssl'],
  [
    'a certificate that is not checked',
    { ssl: { rejectUnauthorized: false } },
    'TLS_REQUIRED',
    'connection.ssl.rejectUnauthorized',
  ],
  ['loopback', { host: 'localhost' }, 'HOST_NOT_SIGNABLE', 'connection.host'],
  ['a CNAME', { host: 'db.example.com' }, 'HOST_NOT_SIGNABLE', 'connection.host'],
  ['no host', { host: undefined }, 'INVALID_OPTION', 'connection.host'],
  ['no user', { user: undefined }, 'INVALID_OPTION', 'connection.user'],
  ['a port that is no number', { port: 'abc' }, 'INVALID_OPTION', 'connection.port'],
  ['a socket file', { socketPath: '/run/mysqld.sock' }, 'CONFLICTING_OPTIONS', 'connection.socketPath'],
  ['a stream', { stream: () => {} }, 'CONFLICTING_OPTIONS', 'connection.stream'],
  ['insecureAuth', { insecureAuth: true }, 'CONFLICTING_OPTIONS', 'connection.insecureAuth'],
  ['debug, which would print the token', { debug: true }, 'CONFLICTING_OPTIONS', 'connection.debug'],
  [
    'the global writer without a Region',
    { host: 'g.global-abcdefghijkl.global.rds.amazonaws.com' },
    'REGION_UNKNOWN',
    'region',
  ],
  [
    'a Region without known authorities',
    { host: HOST.replace('eu-west-1', 'ca-west-1') },
    'TRUST_ROOTS_MISSING',
    'ca',
  ],
]

/** Expects that `call` throws an error of this code, whose message names the option first. */
function expectRefusal(call: () => unknown, code: string, option: string): void {
  const error = errorThrownBy(call)
  expect(error).toBeInstanceOf(AuroraIamError)
  expect(error).toMatchObject({ code: `ERR_AURORA_IAM_${code}`, option, retryable: false })
  const { message } = error as Error
  if (!option.startsWith('ca')) expect(message.startsWith(`${option}: `), message).toBe(true)
  expect(message).not.toContain('hush')
}

describe('bad input is refused at the call, by the name of the option in the words of Knex', () => {
  test.each(OF_CONFIG)('as the configuration: %s', (_what, given, code, option) => {
    const isObject = typeof given === 'object' && given !== null
    const config = isObject ? { client: 'mysql2', connection, ...given } : given
    expectRefusal(() => withAuroraIam(config as Knex.Config), code, option)
  })

  test.each(OF_CONNECTION)('as the connection: %s', (_what, given, code, option) => {
    const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
    const merged = (isObject ? { ...connection, ...given } : given) as Knex.MySql2ConnectionConfig
    expectRefusal(() => withAuroraIam({ client: 'mysql2', connection: merged }), code, option)
    expectRefusal(() => auroraIamConnection(merged), code, option)
  })

  test('an error of the second argument: named as iam names it', () => {
    const refused = (iam: object) => () => withAuroraIam({ client: 'mysql2', connection }, iam)
    expectRefusal(refused({ maxWait: 5 }), 'UNKNOWN_OPTION', 'maxWait')
    expectRefusal(refused({ hostname: '127.0.0.1' }), 'HOST_NOT_SIGNABLE', 'hostname')
    expectRefusal(refused({ region: 'us-east-1' }), 'CONFLICTING_OPTIONS', 'region')
    expectRefusal(refused({ port: 0 }), 'INVALID_OPTION', 'port')
    expectRefusal(refused({ dial: { host: '' } }), 'INVALID_OPTION', 'dial.host')
  })

  test('IAM switched off, without a password: refused', () => {
    const off = () => withAuroraIam({ client: 'mysql2', connection }, { enabled: false })
    expectRefusal(off, 'CONFLICTING_OPTIONS', 'connection.password')
  })

  test('a configuration that went through withAuroraIam already: refused', () => {
    const twice = () => withAuroraIam(withAuroraIam({ client: 'mysql2', connection }))
    expectRefusal(twice, 'INVALID_OPTION', 'connection')
  })
})
