import { AuroraIamError } from '@aurora-iam/core'
import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, test } from 'vitest'
import { withAuroraIam } from '../src/index.ts'

const HOST = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const good = { host: HOST, user: 'app', database: 'shop' }

type Refusal = readonly [what: string, options: object, iam: object, code: string, option: string]

const REFUSALS: readonly Refusal[] = [
  ['a password', { password: 'x' }, {}, 'PASSWORD_GIVEN', 'password'],
  ['a second password', { password2: 'x' }, {}, 'PASSWORD_GIVEN', 'password2'],
  ['a password in the uri', { uri: `mysql://app:secret@${HOST}/shop` }, {}, 'PASSWORD_GIVEN', 'password'],
  ['a password among the options of IAM', {}, { password: 'x' }, 'PASSWORD_GIVEN', 'password'],
  ['ssl: false', { ssl: false }, {}, 'TLS_REQUIRED', 'ssl'],
  ['another ssl profile', { ssl: 'Custom' }, {}, 'TLS_REQUIRED', 'ssl'],
  [
    'rejectUnauthorized: false',
    { ssl: { rejectUnauthorized: false } },
    {},
    'TLS_REQUIRED',
    'ssl.rejectUnauthorized',
  ],
  ['verifyIdentity: false', { ssl: { verifyIdentity: false } }, {}, 'TLS_REQUIRED', 'ssl.verifyIdentity'],
  ['TLS 1.1', { ssl: { minVersion: 'TLSv1.1' } }, {}, 'TLS_REQUIRED', 'ssl.minVersion'],
  ['an ssl option that mysql2 ignores', { ssl: { servername: 'x' } }, {}, 'UNKNOWN_OPTION', 'ssl.servername'],
  ['loopback', { host: 'localhost' }, {}, 'HOST_NOT_SIGNABLE', 'host'],
  ['an IPv4 address', { host: '10.0.0.1' }, {}, 'HOST_NOT_SIGNABLE', 'host'],
  ['an IPv6 address', { host: '::1' }, {}, 'HOST_NOT_SIGNABLE', 'host'],
  ['a CNAME', { host: 'db.example.com' }, {}, 'HOST_NOT_SIGNABLE', 'host'],
  ['loopback as hostname', {}, { hostname: '127.0.0.1' }, 'HOST_NOT_SIGNABLE', 'hostname'],
  ['no host', { host: undefined }, {}, 'INVALID_OPTION', 'host'],
  ['no user', { user: undefined }, {}, 'INVALID_OPTION', 'user'],
  [
    'the user by the name of another driver',
    { user: undefined, username: 'app' },
    {},
    'UNKNOWN_OPTION',
    'username',
  ],
  ['a port out of range', { port: 70_000 }, {}, 'INVALID_OPTION', 'port'],
  ['a port that is no number', { port: 'abc' }, {}, 'INVALID_OPTION', 'port'],
  ['a signed port out of range', {}, { port: 0 }, 'INVALID_OPTION', 'port'],
  ['a connectTimeout that is no number', { connectTimeout: '5000' }, {}, 'INVALID_OPTION', 'connectTimeout'],
  ['a connectTimeout below 0', { connectTimeout: -1 }, {}, 'INVALID_OPTION', 'connectTimeout'],
  [
    'a connectTimeout without end',
    { connectTimeout: Number.POSITIVE_INFINITY },
    {},
    'INVALID_OPTION',
    'connectTimeout',
  ],
  ['authPlugins that are no object', { authPlugins: 'dialog' }, {}, 'INVALID_OPTION', 'authPlugins'],
  ['authPlugins of null', { authPlugins: null }, {}, 'INVALID_OPTION', 'authPlugins'],
  ['a limit of 0', {}, { rateLimit: 0 }, 'INVALID_OPTION', 'rateLimit'],
  ['a negative limit', {}, { rateLimit: -1 }, 'INVALID_OPTION', 'rateLimit'],
  ['an unknown preset', {}, { rateLimit: 'fast' }, 'INVALID_OPTION', 'rateLimit'],
  ['an unknown option', {}, { maxWait: 5 }, 'UNKNOWN_OPTION', 'maxWait'],
  ['a duration that is no number', {}, { maxWaitMs: '5s' }, 'INVALID_OPTION', 'maxWaitMs'],
  ['a Region that contradicts the host', {}, { region: 'us-east-1' }, 'CONFLICTING_OPTIONS', 'region'],
  [
    'the global writer without a Region',
    { host: 'g.global-abcdefghijkl.global.rds.amazonaws.com' },
    {},
    'REGION_UNKNOWN',
    'region',
  ],
  [
    'a Region without known authorities',
    { host: HOST.replace('eu-west-1', 'ca-west-1') },
    {},
    'TRUST_ROOTS_MISSING',
    'ca',
  ],
  ['a stream', { stream: () => {} }, {}, 'CONFLICTING_OPTIONS', 'stream'],
  ['a socket file', { socketPath: '/run/mysqld.sock' }, {}, 'CONFLICTING_OPTIONS', 'socketPath'],
  [
    'the clear password plugin of mysql2',
    { enableCleartextPlugin: true },
    {},
    'CONFLICTING_OPTIONS',
    'enableCleartextPlugin',
  ],
  ['an authSwitchHandler', { authSwitchHandler: () => {} }, {}, 'CONFLICTING_OPTIONS', 'authSwitchHandler'],
  [
    'a clear password plugin',
    { authPlugins: { mysql_clear_password: () => () => '' } },
    {},
    'CONFLICTING_OPTIONS',
    'authPlugins.mysql_clear_password',
  ],
  ['debug, which would print the token', { debug: true }, {}, 'CONFLICTING_OPTIONS', 'debug'],
  ['a uri with a raw % in its user', { uri: `mysql://a%b@${HOST}/shop` }, {}, 'INVALID_OPTION', 'uri'],
  ['a uri with a raw % in its database', { uri: `mysql://app@${HOST}/100%` }, {}, 'INVALID_OPTION', 'uri'],
  [
    'a uri with a raw % in its password',
    { uri: `mysql://app:secret%@${HOST}/` },
    {},
    'INVALID_OPTION',
    'uri',
  ],
  [
    'a uri that is undefined, without a host',
    { uri: undefined, host: undefined },
    {},
    'INVALID_OPTION',
    'uri',
  ],
  [
    'a uri whose password ends the host',
    { uri: `mysql://app:@secret/pass@${HOST}/shop` },
    {},
    'INVALID_OPTION',
    'uri',
  ],
  ['a uri that is no URL', { uri: 'shop' }, {}, 'INVALID_OPTION', 'uri'],
  [
    'login retry, which only a pool has',
    {},
    { retryRejectedLogins: true },
    'CONFLICTING_OPTIONS',
    'retryRejectedLogins',
  ],
  ['enabled as a string', {}, { enabled: 'false' }, 'INVALID_OPTION', 'enabled'],
  ['IAM switched off with no password', {}, { enabled: false }, 'CONFLICTING_OPTIONS', 'password'],
  [
    'a token provider beside credentials',
    {},
    { tokenProvider: () => '', credentials: {} },
    'CONFLICTING_OPTIONS',
    'tokenProvider',
  ],
]

describe('bad input is refused at the call, by the name of the option', () => {
  test.each(REFUSALS)('%s: refused by name', (_what, options, iam, code, option) => {
    const error = errorThrownBy(() => withAuroraIam({ ...good, ...options } as typeof good, iam))
    expect(error).toBeInstanceOf(AuroraIamError)
    expect(error).toMatchObject({ code: `ERR_AURORA_IAM_${code}`, option, retryable: false })
    expect(error.message).toContain(option)
    expect(error.message).not.toContain('secret')
  })

  test.each([undefined, null, 'localhost', `mysql://app@${HOST}`, [good]])(
    '%o in place of options: refused',
    (options) => {
      expect(errorThrownBy(() => withAuroraIam(options as never))).toMatchObject({
        code: 'ERR_AURORA_IAM_INVALID_OPTION',
        option: 'options',
      })
    },
  )

  test('a connectTimeout below 0: the message shows it', () => {
    const { message } = errorThrownBy(() => withAuroraIam({ ...good, connectTimeout: -1 }))
    expect(message).toBe('connectTimeout: expected milliseconds, 0 for no limit, got -1.')
  })

  test('options that went through withAuroraIam: refused a second time', () => {
    const once = withAuroraIam(good)
    expect(errorThrownBy(() => withAuroraIam(once))).toMatchObject({
      code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      option: 'stream',
      message: expect.stringContaining('went through withAuroraIam before'),
    })
  })
})
