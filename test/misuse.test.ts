import { AuroraIamError, type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import * as knexAdapter from '@aurora-iam/knex'
import * as mysql2Adapter from '@aurora-iam/mysql2'
import * as prismaAdapter from '@aurora-iam/prisma'
import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import * as typeormAdapter from '@aurora-iam/typeorm'
import mysql from 'mysql2'
import promises from 'mysql2/promise'
import { describe, expect, test } from 'vitest'

const host = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const good = { host, user: 'app', database: 'shop' }

type Call = (options?: unknown, iam?: unknown) => unknown

/** Each adapter's call, without the help of its types, and where its address stands. */
const ADAPTERS: ReadonlyArray<{ name: string; call: Call; wrap: (options: object) => object }> = [
  { name: 'mysql2', call: mysql2Adapter.withAuroraIam as Call, wrap: (options) => options },
  {
    name: 'Knex, beside client',
    call: knexAdapter.withAuroraIam as Call,
    wrap: ({ host: _, user: __, database: ___, ...options }: Partial<typeof good>) => ({
      client: 'mysql2',
      connection: good,
      ...options,
    }),
  },
  {
    name: 'Knex, in connection',
    call: knexAdapter.withAuroraIam as Call,
    wrap: (connection) => ({ client: 'mysql2', connection }),
  },
  { name: 'auroraIamConnection', call: knexAdapter.auroraIamConnection as Call, wrap: (options) => options },
  {
    name: 'TypeORM',
    call: typeormAdapter.withAuroraIam as Call,
    wrap: ({ user: username, ...options }: Partial<typeof good>) => ({ type: 'mysql', username, ...options }),
  },
  {
    name: 'a node of TypeORM',
    call: typeormAdapter.withAuroraIam as Call,
    wrap: ({ user: username, ...node }: Partial<typeof good>) => ({
      type: 'mysql',
      replication: { master: { username, ...node }, slaves: [] },
    }),
  },
  { name: 'Prisma', call: prismaAdapter.auroraIam as Call, wrap: (options) => options },
]

const IAM_OPTIONS: AuroraIamOptions = {
  region: 'eu-west-1',
  credentials: async () => ({ accessKeyId: 'A', secretAccessKey: 'S' }),
  profile: 'prod',
  hostname: host,
  dial: { host: '127.0.0.1' },
  tokenProvider: () => 'token',
  rateLimit: 5,
  maxWaitMs: 100,
  ca: 'x',
  refreshBeforeMs: 1,
  credentialsTimeoutMs: 1,
  requireWriter: true,
  retryRejectedLogins: true,
  enabled: false,
  clock: Date.now,
}

describe.each(ADAPTERS)('$name', ({ name, call, wrap }) => {
  test('good options: accepted', () => {
    expect(call(wrap(good))).toBeTypeOf('object')
  })

  test.each(Object.entries(IAM_OPTIONS))('%s among the driver’s options: refused', (option, value) => {
    const error = errorThrownBy(() => call(wrap({ ...good, [option]: value })))
    expect(error).toBeInstanceOf(AuroraIamError)
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_UNKNOWN_OPTION' })
    expect((error as AuroraIamError).option).toMatch(new RegExp(`(^|\\.)${option}$`))
    expect(error.message).toMatch(/give it in the second argument/i)
  })

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a URL', 'mysql://app:hush@localhost/shop'],
    ['a list', [good]],
  ])('%s in place of the options: one clear error', (_what, options) => {
    const error = errorThrownBy(() => call(options))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION' })
    expect(error.message).toMatch(/^(options|config|connection): expected an object/)
    expect(error.message).not.toContain('hush')
  })

  test('a Promise in place of the options: the remedy is to await it', () => {
    const error = errorThrownBy(() => call(Promise.resolve(wrap(good))))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION' })
    expect(error.message).toMatch(/got a promise\. Await it first\.$/)
  })

  test('a Promise in place of the AuroraIam: the remedy is to await it', () => {
    const error = errorThrownBy(() => call(wrap(good), Promise.resolve(createAuroraIam())))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'iam' })
    expect(error.message).toMatch(/Await it/)
  })

  test('a URL in place of the AuroraIam: not repeated', () => {
    const error = errorThrownBy(() => call(wrap(good), 'mysql://app:hush@localhost/shop'))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'iam' })
    expect(error.message).not.toContain('hush')
  })

  // Knex's host is in `connection`.
  if (name !== 'Knex, beside client')
    test('hostname in place of host: the driver’s own name is said', () => {
      const { host: _, ...rest } = good
      const error = errorThrownBy(() => call(wrap({ ...rest, hostname: host })))
      expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_UNKNOWN_OPTION' })
      expect(error.message).toContain('the driver calls the endpoint `host`')
    })

  test.each([
    ['connectionLimit', 5],
    ['user', 'app'],
    ['username', 'app'],
    ['database', 'shop'],
    ['ssl', true],
  ])('%s in the second argument: the first is said', (option, value) => {
    const error = errorThrownBy(() => call(wrap(good), { [option]: value }))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_UNKNOWN_OPTION', option })
    expect(error.message).toMatch(/first argument/)
  })

  test.each([
    ['ratelimit', 'rateLimit'],
    ['max_wait_ms', 'maxWaitMs'],
    ['maxWait', 'maxWaitMs'],
  ])('%s in the second argument: %s is said', (option, meant) => {
    const error = errorThrownBy(() => call(wrap(good), { [option]: 5 }))
    expect(error.message).toBe(`${option}: not an option of aurora-iam. Write \`${meant}\`.`)
  })

  test('rateLimit as text of digits: it wants a number', () => {
    const error = errorThrownBy(() => call(wrap(good), { rateLimit: '20' }))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'rateLimit' })
    expect(error.message).toMatch(/to be a number.*Number\(…\)/)
    expect(error.message).not.toContain('20')
  })

  // What Prisma's call returns goes to PrismaClient, and cannot be mistaken for options.
  if (name !== 'Prisma')
    test('options that went through before: refused', () => {
      const error = errorThrownBy(() => call(call(wrap(good))))
      expect(error).toBeInstanceOf(AuroraIamError)
      expect(error.message).toMatch(/went through (withAuroraIam )?before/)
    })
})

type WithUrl = (url: string | undefined) => unknown

const URLS: ReadonlyArray<readonly [name: string, option: string, call: WithUrl]> = [
  ['mysql2', 'uri', (uri) => (mysql2Adapter.withAuroraIam as Call)({ uri })],
  [
    'Knex',
    'connection.uri',
    (uri) => (knexAdapter.withAuroraIam as Call)({ client: 'mysql2', connection: { uri } }),
  ],
  ['auroraIamConnection', 'connection.uri', (uri) => (knexAdapter.auroraIamConnection as Call)({ uri })],
  ['TypeORM', 'url', (url) => (typeormAdapter.withAuroraIam as Call)({ type: 'mysql', url })],
  [
    'a node of TypeORM',
    'replication.master.url',
    (url) =>
      (typeormAdapter.withAuroraIam as Call)({ type: 'mysql', replication: { master: { url }, slaves: [] } }),
  ],
  ['Prisma', 'url', (url) => (prismaAdapter.auroraIam as Call)({ url })],
]

describe.each(URLS)('the URL of %s', (_name, option, call) => {
  test.each([
    ['undefined', undefined],
    ['an empty string', ''],
  ])('%s: it says so, and that the variable is not set', (what, url) => {
    const error = errorThrownBy(() => call(url))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option })
    expect(error.message).toMatch(
      new RegExp(`^${option.replaceAll(/[.]/g, '\\.')}: ${what}\\. The environment variable`),
    )
  })

  test('with a raw %: how to encode it, and nothing of the URL', () => {
    const error = errorThrownBy(() => call(`mysql://app:hush%@${host}/shop`))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option })
    expect(error.message).toMatch(/Encode it as %25\.$/)
    expect(error.message).not.toContain('hush')
  })
})

test.each<[string, Call, object, string, string]>([
  ['mysql2', mysql2Adapter.withAuroraIam as Call, { host, username: 'app' }, 'username', 'user'],
  [
    'Knex',
    knexAdapter.withAuroraIam as Call,
    { client: 'mysql2', connection: { host, username: 'app' } },
    'connection.username',
    'user',
  ],
  ['TypeORM', typeormAdapter.withAuroraIam as Call, { type: 'mysql', host, user: 'app' }, 'user', 'username'],
  [
    'a node of TypeORM',
    typeormAdapter.withAuroraIam as Call,
    { type: 'mysql', replication: { master: { host, user: 'app' }, slaves: [] } },
    'replication.master.user',
    'username',
  ],
  [
    'Prisma',
    prismaAdapter.auroraIam as Call,
    { host, username: 'app', database: 'shop' },
    'username',
    'user',
  ],
])('%s with another driver’s name for the user: its own is said', (_name, call, options, option, own) => {
  const error = errorThrownBy(() => call(options))
  expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_UNKNOWN_OPTION', option })
  expect(error.message).toContain(`\`${own}\``)
})

test('createAuroraIam of an AuroraIam: one clear error', () => {
  const iam = createAuroraIam()
  const error = errorThrownBy(() => createAuroraIam(iam as AuroraIamOptions))
  expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'iam' })
  expect(error.message).toMatch(/Use that object unchanged/)
})

test.each<[string, Call, object, RegExp]>([
  [
    'mysql2',
    mysql2Adapter.withAuroraIam as Call,
    { retryRejectedLogins: true },
    /withLoginRetry\(pool, iam\)/,
  ],
  ...[
    { retryRejectedLogins: true },
    { maxLifetimeMs: 60_000 },
    { watchEndpointMs: 5_000 },
    { retireDemoted: true },
  ].map(
    (iam) =>
      [
        'auroraIamConnection',
        knexAdapter.auroraIamConnection as Call,
        iam,
        /the framework sets up the pool.*withAuroraIam/,
      ] as [string, Call, object, RegExp],
  ),
])('%s with an option that it cannot carry out (case %#): refused at once', (_name, call, iam, remedy) => {
  const error = errorThrownBy(() => call(good, iam))
  expect(error).toMatchObject({
    code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
    option: Object.keys(iam)[0],
  })
  expect(error.message).toMatch(remedy)
  expect(call(good, createAuroraIam(iam))).toBeTypeOf('object')
})

describe('withLoginRetry', () => {
  const iam = createAuroraIam()
  const withLoginRetry = mysql2Adapter.withLoginRetry as (pool?: unknown, iam?: unknown) => unknown
  const options = mysql2Adapter.withAuroraIam(good, iam)
  const ofAnother = (pool: unknown) => errorThrownBy(() => withLoginRetry(pool, createAuroraIam()))

  test.each([
    ['callbacks', () => mysql.createPool(options)],
    ['promises', () => promises.createPool(options)],
  ])('a pool of %s: accepted with its own AuroraIam, and with no other', (_api, create) => {
    expect(withLoginRetry(create(), iam)).toHaveProperty('getConnection')
    expect(ofAnother(create())).toMatchObject({
      code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      option: 'iam',
    })
    const missing = errorThrownBy(() => withLoginRetry(create()))
    expect(missing).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'iam' })
    expect(missing.message).toMatch(/^iam: missing/)
  })

  test.each([
    ['options', options],
    ['nothing', undefined],
    ['a pool without IAM', mysql.createPool({ host: 'localhost' })],
    ['a cluster', mysql.createPoolCluster()],
  ])('%s in place of the pool: one clear error', (_what, pool) => {
    const error = errorThrownBy(() => withLoginRetry(pool, iam))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'pool' })
  })
})
