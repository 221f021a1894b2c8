import { describe, expect, test } from 'vitest'
import { type AuroraIamPrismaOptions, auroraIam, createAuroraIam } from '../../src/index.ts'
import { expandUrl } from '../../src/options/connection-url.ts'
import { plainSsl, readPoolSettings } from '../../src/options/options.ts'

const host = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const PLACE = { host, user: 'app', database: 'app' }
const SECRET = 'p4ssw0rd'

function refusal(options: unknown, iam?: Parameters<typeof auroraIam>[1]): Record<string, unknown> & Error {
  try {
    auroraIam(options as AuroraIamPrismaOptions, iam)
  } catch (error) {
    return error as Record<string, unknown> & Error
  }
  throw new Error('It was not refused.')
}

describe('auroraIam', () => {
  test('options: the result is what Prisma takes, and nothing is opened', () => {
    const iam = createAuroraIam()
    const { adapter, transactionOptions, extension, status, warmUp } = auroraIam(PLACE, iam)
    expect(adapter).toMatchObject({ provider: 'mysql', adapterName: '@aurora-iam/prisma' })
    expect(transactionOptions).toEqual({ maxWait: 89_000 })
    const client = { $extends: (definition: unknown) => definition }
    expect(extension()(client as never)).toMatchObject({ client: { $iam: { status, warmUp } } })
    expect(status()).toMatchObject({ connectionsOpened: 0, tokensSigned: 0 })
    expect(iam.stats()).toMatchObject({ credentialsResolved: 0 })
  })

  test('time limits at their maximum: a maxWait that a timer of Node can wait', () => {
    const longest = 2 ** 31 - 1
    for (const { transactionOptions } of [
      auroraIam({ ...PLACE, acquireTimeoutMs: longest }),
      auroraIam(PLACE, { maxWaitMs: longest }),
    ]) {
      expect(transactionOptions.maxWait).toBe(longest)
    }
  })

  test('maxWait: long enough for the whole wait for a connection', () => {
    expect(auroraIam({ ...PLACE, acquireTimeoutMs: 30_000 }).transactionOptions.maxWait).toBe(31_000)
  })

  test('a url: it names the place, and options beside it win', () => {
    expect(() => auroraIam({ url: `mysql://app@${host}:3307/app` })).not.toThrow()
    const error = refusal({ url: `mysql://app@${host}/app`, user: '' })
    expect(error.message).toMatch(/^user: expected the name of a database user/)
  })
})

describe.each([
  ['a url itself', 'mysql://app@host/app', 'options', /^options: expected an object such as \{ host, user/],
  ['nothing', undefined, 'options', /^options: expected an object/],
  [
    'an unknown option',
    { ...PLACE, hostt: 1 },
    'hostt',
    /^hostt: not an option of auroraIam. Known: acquireTimeoutMs,/,
  ],
  [
    'mariadb’s name of an option',
    { ...PLACE, connectTimeout: 1 },
    'connectTimeout',
    /Use `connectTimeoutMs`\.$/,
  ],
  ['the IAM options in the wrong place', { ...PLACE, region: 'eu-west-1' }, 'region', /second argument/],
  [
    'options of IAM that would limit nothing',
    { ...PLACE, rateLimit: 5, requireWriter: true },
    'rateLimit',
    /^rateLimit: .*second argument/,
  ],
  ['a url from a variable that is not set', { url: undefined }, 'url', /^url: undefined\. The environment/],
  ['no host', { user: 'app' }, 'host', /^host: expected the endpoint/],
  ['no user', { host }, 'user', /^user: expected/],
  ['a host that is no endpoint', { ...PLACE, host: '127.0.0.1' }, 'host', /^host: /],
  ['a limit of 0', { ...PLACE, connectionLimit: 0 }, 'connectionLimit', /a whole number from 1 up, got 0/],
  ['half a connection', { ...PLACE, connectionLimit: 1.5 }, 'connectionLimit', /got 1\.5/],
  ['a time that no timer can wait', { ...PLACE, idleTimeoutMs: 2 ** 31 }, 'idleTimeoutMs', /got 2147483648/],
  ['half a millisecond', { ...PLACE, connectTimeoutMs: 0.5 }, 'connectTimeoutMs', /got 0\.5/],
  ['a number as the database', { ...PLACE, database: 4711 }, 'database', /got a number\.$/],
  ['text for a switch', { ...PLACE, useTextProtocol: 'yes' }, 'useTextProtocol', /true or false/],
  ['variables as text', { ...PLACE, sessionVariables: 'a=1' }, 'sessionVariables', /an object of session/],
  ['no variables', { ...PLACE, sessionVariables: null }, 'sessionVariables', /got null/],
  ['attributes in a list', { ...PLACE, connectAttributes: ['a'] }, 'connectAttributes', /of attributes/],
  ['no time', { ...PLACE, acquireTimeoutMs: 0 }, 'acquireTimeoutMs', /milliseconds: a whole number from 1/],
  ['seconds as text', { ...PLACE, idleTimeoutMs: '60' }, 'idleTimeoutMs', /got a string of 2 characters/],
  ['an empty database', { ...PLACE, database: '' }, 'database', /the name of a database/],
  ['ssl switched off', { ...PLACE, ssl: false }, 'ssl', /^ssl: got false/],
  [
    'ssl not verified',
    { ...PLACE, ssl: { rejectUnauthorized: false } },
    'ssl.rejectUnauthorized',
    /got false/,
  ],
  ['a password', { ...PLACE, password: SECRET }, 'password', /^password: the IAM token takes its place/],
  [
    'a url with a password',
    { url: `mysql://app:${SECRET}@${host}/app` },
    'url',
    /^url: it contains a password/,
  ],
  ['a url with a bad password', { url: `mysql://app:${SECRET}%@${host}/app` }, 'url', /Encode it as %25/],
  [
    'a url of PostgreSQL',
    { url: `postgresql://app:${SECRET}@${host}/app` },
    'url',
    /got one of 'postgresql:\/\/'/,
  ],
  [
    'a url whose password ends the host',
    { url: `mysql://app:@${SECRET}/x@${host}/app` },
    'url',
    /^url: there is an @ behind the host\. Encode the password/,
  ],
  [
    'a url whose password begins parameters',
    { url: `mysql://app:1?${SECRET}@${host}/app` },
    'url',
    /^url: there is an @ behind the host/,
  ],
  [
    'a url whose password is the protocol',
    { url: `${SECRET}://app@${host}/app` },
    'url',
    /database\. Or give host/,
  ],
  ['a URL object', { url: new URL(`mysql://app@${host}/app`) }, 'url', /^url: expected mysql:/],
  ['a url of MariaDB', { url: `mariadb://app@${host}/app` }, 'url', /got one of 'mariadb:\/\/'/],
  ['a url that is none', { url: SECRET }, 'url', /^url: expected mysql:\/\/user@host:port\/database\./],
  [
    'a url with parameters',
    { url: `mysql://app@${host}/app?sslaccept=strict` },
    'url',
    /its parameter 'sslaccept'/,
  ],
] as const)('%s', (_what, options, option, message) => {
  test('an invalid value: refused at once, by its name, without a secret', () => {
    const error = refusal(options)
    expect(error).toMatchObject({ option, code: expect.stringMatching(/^ERR_AURORA_IAM_/) })
    expect(error.message).toMatch(message)
    expect(`${error.message}${error.stack}${error.cause}`).not.toContain(SECRET)
  })
})

test('options of every kind with a valid value: accepted', () => {
  const records = { sessionVariables: { sql_mode: 'ANSI' }, connectAttributes: { program: 'test' } }
  for (const useTextProtocol of [true, false]) {
    expect(() => auroraIam({ ...PLACE, ...records, useTextProtocol })).not.toThrow()
  }
})

test.each([
  [{}, { connectionLimit: 10, acquireTimeoutMs: 10_000, connectTimeoutMs: 8_000, idleTimeoutMs: 600_000 }],
  [{ acquireTimeoutMs: 5_001 }, { connectTimeoutMs: 4_001, isAcquireTimeoutStrict: true }],
  [{ acquireTimeoutMs: 60_000 }, { connectTimeoutMs: 8_000, isAcquireTimeoutStrict: true }],
  [
    { acquireTimeoutMs: 1, connectTimeoutMs: 9_000 },
    { connectTimeoutMs: 9_000, isAcquireTimeoutStrict: true },
  ],
  [
    { idleTimeoutMs: 2 ** 31 - 1, connectionLimit: 1 },
    { idleTimeoutMs: 2 ** 31 - 1, connectionLimit: 1 },
  ],
])('the settings %j: %j', (options, expected) => {
  const settings = readPoolSettings({ ...PLACE, ...options })
  expect(settings).toMatchObject({ isAcquireTimeoutStrict: false, ...expected })
})

test.each([
  [
    'every part, encoded',
    `mysql://a%40b:${SECRET}%2F@${host}:3307/a%20b`,
    { host, port: 3307, user: 'a@b', password: `${SECRET}/`, database: 'a b' },
  ],
  ['a host alone', `mysql://${host}`, { host }],
  ['a host and a slash', `mysql://${host}/`, { host }],
])('a url with %s: its parts', (_what, url, expected) => {
  const absent = { port: undefined, user: undefined, password: undefined, database: undefined }
  expect({ ...expandUrl({ url, connectionLimit: 2 }) }).toEqual({
    ...absent,
    ...expected,
    connectionLimit: 2,
  })
})

test('options beside a url: one with a value wins, and an undefined one does not', () => {
  const url = `mysql://app@${host}:3307/app`
  const expanded = expandUrl({ url, user: 'other', port: undefined })
  expect(expanded).toMatchObject({ host, port: 3307, user: 'other', database: 'app' })
  expect(expandUrl({ url: undefined, ...PLACE })).toEqual(PLACE)
})

describe('enabled: false', () => {
  test('enabled: false without a password: refused', () => {
    expect(refusal(PLACE, { enabled: false })).toMatchObject({
      code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      option: 'password',
    })
    expect(() => auroraIam({ ...PLACE, password: '' }, { enabled: false })).not.toThrow()
  })

  test('enabled: false: any host is accepted, and a url with a password', () => {
    expect(() => auroraIam({ url: `mysql://root:${SECRET}@localhost/app` }, { enabled: false })).not.toThrow()
  })

  test('ssl: null is no TLS, and what mariadb knows is passed on unchanged', () => {
    for (const none of [null, undefined]) expect(plainSsl({ ssl: none as never })).toBeUndefined()
    const known = { ca: 'PEM', rejectUnauthorized: false }
    for (const ssl of [true, false, known]) expect(plainSsl({ ssl })).toBe(ssl)
  })

  test.each(['false', 'Amazon RDS', '', 0, ['PEM']])(
    'ssl: %j, which mariadb would take for true or for nothing: refused',
    (ssl) => {
      expect(refusal({ ...PLACE, password: '', ssl }, { enabled: false })).toMatchObject({
        code: 'ERR_AURORA_IAM_INVALID_OPTION',
        option: 'ssl',
        message: expect.stringMatching(/^ssl: expected true, false or an object, got /),
      })
    },
  )
})

test('every option polluted on Object.prototype: own properties alone decide', () => {
  const prototype = Object.prototype as Record<string, unknown>
  const polluted = {
    url: `mysql://thief:${SECRET}@thief.example/app`,
    host: 'thief.example',
    port: 1,
    user: 'thief',
    database: 'thief',
    password: SECRET,
    ssl: false,
    connectionLimit: 0,
    acquireTimeoutMs: 0,
    sessionVariables: 1,
    socketPath: '/thief',
  }
  const iam = createAuroraIam()
  const options = { host, user: 'app' }
  let made: { transactionOptions: unknown } | undefined
  try {
    Object.assign(prototype, polluted)
    made = auroraIam(options, iam)
  } finally {
    for (const name of Object.keys(polluted)) delete prototype[name]
  }
  expect(made?.transactionOptions).toEqual({ maxWait: 89_000 })
})
