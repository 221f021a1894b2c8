import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, test } from 'vitest'
import { AuroraIamError, type MysqlDataSourceOptions, withAuroraIam } from '../src/index.ts'
import { HOST, READER, type Refusal } from './support.ts'

const good = { type: 'mysql', host: HOST, username: 'app', database: 'shop' }

const REFUSALS: readonly Refusal[] = [
  ['a password', { password: 'x' }, {}, 'PASSWORD_GIVEN', 'password'],
  ['a password as a function', { password: () => 'x' }, {}, 'PASSWORD_GIVEN', 'password'],
  ['a password in the url', { url: `mysql://app:secret@${HOST}/shop` }, {}, 'PASSWORD_GIVEN', 'password'],
  ['a password among the options of IAM', {}, { password: 'x' }, 'PASSWORD_GIVEN', 'password'],
  [
    'a url whose password ends the host',
    { url: `mysql://app:@secret/pass@${HOST}/` },
    {},
    'INVALID_OPTION',
    'url',
  ],
  ['a url that is no URL', { url: 'secret@shop' }, {}, 'INVALID_OPTION', 'url'],
  ['a url that is undefined', { host: undefined, url: undefined }, {}, 'INVALID_OPTION', 'url'],
  ['a url of another database', { url: `postgres://app@${HOST}/shop` }, {}, 'INVALID_OPTION', 'url'],
  ['a url whose username cannot be decoded', { url: `mysql://%ff@${HOST}/` }, {}, 'INVALID_OPTION', 'url'],
  ['a url to loopback', { url: 'mysql://app@localhost/shop' }, {}, 'HOST_NOT_SIGNABLE', 'host'],
  ['a type of another database', { type: 'postgres' }, {}, 'INVALID_OPTION', 'type'],
  ['the Data API', { type: 'aurora-mysql' }, {}, 'CONFLICTING_OPTIONS', 'type'],
  ['no type', { type: undefined }, {}, 'INVALID_OPTION', 'type'],
  [
    'mysql as connector package',
    { connectorPackage: 'mysql' },
    {},
    'CONFLICTING_OPTIONS',
    'connectorPackage',
  ],
  ['no host', { host: undefined }, {}, 'INVALID_OPTION', 'host'],
  ['loopback', { host: 'localhost' }, {}, 'HOST_NOT_SIGNABLE', 'host'],
  ['an address', { host: '10.0.0.1' }, {}, 'HOST_NOT_SIGNABLE', 'host'],
  ['a CNAME', { host: 'db.example.com' }, {}, 'HOST_NOT_SIGNABLE', 'host'],
  ['no username', { username: undefined }, {}, 'INVALID_OPTION', 'username'],
  [
    "mysql2's user in place of username",
    { username: undefined, user: 'app' },
    {},
    'INVALID_OPTION',
    'username',
  ],
  ['a port out of range', { port: 70_000 }, {}, 'INVALID_OPTION', 'port'],
  ['ssl: false', { ssl: false }, {}, 'TLS_REQUIRED', 'ssl'],
  [
    'rejectUnauthorized: false',
    { ssl: { rejectUnauthorized: false } },
    {},
    'TLS_REQUIRED',
    'ssl.rejectUnauthorized',
  ],
  ['a socket file', { socketPath: '/run/mysqld.sock' }, {}, 'CONFLICTING_OPTIONS', 'socketPath'],
  ['debug, which would print the token', { debug: true }, {}, 'CONFLICTING_OPTIONS', 'debug'],
  ['insecureAuth', { insecureAuth: true }, {}, 'CONFLICTING_OPTIONS', 'insecureAuth'],
  ['extra that is no object', { extra: 'x' }, {}, 'INVALID_OPTION', 'extra'],
  ['extra.stream', { extra: { stream: () => {} } }, {}, 'CONFLICTING_OPTIONS', 'extra.stream'],
  ['extra.password', { extra: { password: 'x' } }, {}, 'PASSWORD_GIVEN', 'extra.password'],
  [
    'extra.authPlugins with a clear password plugin',
    { extra: { authPlugins: { mysql_clear_password: () => () => '' } } },
    {},
    'CONFLICTING_OPTIONS',
    'extra.authPlugins.mysql_clear_password',
  ],
  [
    'extra.authPlugins that is no object',
    { extra: { authPlugins: 'x' } },
    {},
    'INVALID_OPTION',
    'extra.authPlugins',
  ],
  ['extra.ssl', { extra: { ssl: { ca: 'x' } } }, {}, 'CONFLICTING_OPTIONS', 'extra.ssl'],
  ['extra.ssl: false', { extra: { ssl: false } }, {}, 'CONFLICTING_OPTIONS', 'extra.ssl'],
  ['extra.host', { extra: { host: READER } }, {}, 'CONFLICTING_OPTIONS', 'extra.host'],
  ['extra.port', { extra: { port: 3307 } }, {}, 'CONFLICTING_OPTIONS', 'extra.port'],
  ['extra.user', { extra: { user: 'other' } }, {}, 'CONFLICTING_OPTIONS', 'extra.user'],
  ['extra.uri', { extra: { uri: `mysql://app@${HOST}` } }, {}, 'CONFLICTING_OPTIONS', 'extra.uri'],
  ['extra.socketPath', { extra: { socketPath: '/x' } }, {}, 'CONFLICTING_OPTIONS', 'extra.socketPath'],
  [
    'extra.connectTimeout',
    { extra: { connectTimeout: 5 } },
    {},
    'CONFLICTING_OPTIONS',
    'extra.connectTimeout',
  ],
  ['extra.debug', { extra: { debug: true } }, {}, 'CONFLICTING_OPTIONS', 'extra.debug'],
  [
    'extra.enableCleartextPlugin',
    { extra: { enableCleartextPlugin: true } },
    {},
    'CONFLICTING_OPTIONS',
    'extra.enableCleartextPlugin',
  ],
  ['a connectTimeout that is no number', { connectTimeout: '5s' }, {}, 'INVALID_OPTION', 'connectTimeout'],
  ['an unknown option', {}, { maxWait: 5 }, 'UNKNOWN_OPTION', 'maxWait'],
  ['IAM switched off with no password', {}, { enabled: false }, 'CONFLICTING_OPTIONS', 'password'],
]

describe('bad input is refused at the call, by the name of the option', () => {
  test.each(REFUSALS)('%s: refused by name', (_what, options, iam, code, option) => {
    const error = errorThrownBy(() => withAuroraIam({ ...good, ...options } as MysqlDataSourceOptions, iam))
    expect(error).toBeInstanceOf(AuroraIamError)
    expect(error).toMatchObject({ code: `ERR_AURORA_IAM_${code}`, option, retryable: false })
    expect(error.message.startsWith(`${option}:`), error.message).toBe(true)
    expect(error.message).not.toContain('secret')
  })

  test.each([undefined, null, 'mysql://x'])('options that are no object: %s', (options) => {
    expect(errorThrownBy(() => withAuroraIam(options as never))).toMatchObject({
      code: 'ERR_AURORA_IAM_INVALID_OPTION',
      option: 'options',
    })
  })

  test('options that went through withAuroraIam: refused a second time', () => {
    const once = withAuroraIam(good as MysqlDataSourceOptions)
    expect(errorThrownBy(() => withAuroraIam(once))).toMatchObject({
      code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      option: 'extra.stream',
    })
  })
})

test('a url that is undefined: the message speaks of the environment variable; beside a host it is ignored', () => {
  const { host, ...rest } = good
  const { message } = errorThrownBy(() => withAuroraIam({ ...rest, url: undefined } as never))
  expect(message).toContain('environment variable')
  expect(withAuroraIam({ ...rest, host, url: undefined } as never)).toMatchObject({ host })
})
