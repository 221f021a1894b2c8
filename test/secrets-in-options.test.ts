import { inspect } from 'node:util'
import { type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { auroraIamConnection, withAuroraIam as withKnex } from '@aurora-iam/knex'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { auroraIam } from '@aurora-iam/prisma'
import { createRateLimiter, redisStore } from '@aurora-iam/rate-limit'
import { withAuroraIam as withTypeorm } from '@aurora-iam/typeorm'
import { expect, test } from 'vitest'

const SECRET = 'hunter2-S3cret'
const HOST = 'db.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const TARGET = { hostname: HOST, port: 3306, username: 'app' }
const MYSQL2 = { host: HOST, user: 'app', database: 'app' }
const TYPEORM = { type: 'mysql', host: HOST, username: 'app', database: 'app' }
const PRISMA = { host: HOST, user: 'app', database: 'app' }

class Holder {
  toString(): string {
    return SECRET
  }
  toJSON(): string {
    return SECRET
  }
}

/** A secret in every type that an option may be given by mistake. */
const VALUES: ReadonlyArray<readonly [type: string, value: unknown]> = [
  ['a text', SECRET],
  ['a URL', `redis://:${SECRET}@cache.internal`],
  ['a URL of MySQL', `mysql://app:${SECRET}@${HOST}:3306/app?ssl=${SECRET}`],
  ['a URL with a raw %', `mysql://app:${SECRET}%@${HOST}/app`],
  ['a PEM', `-----BEGIN CERTIFICATE-----\n${SECRET}\n-----END CERTIFICATE-----`],
  ['an array', [SECRET]],
  ['an object', { password: SECRET }],
  ['an object with the secret as a name', { [`redis://:${SECRET}@h`]: 1 }],
  ['an object of a class', new Holder()],
  ['a function', Object.defineProperty(() => SECRET, 'name', { value: SECRET })],
  ['an asynchronous function', async () => SECRET],
  ['a Buffer', Buffer.from(SECRET)],
  ['a URL object', new URL(`mysql://app:${SECRET}@${HOST}`)],
  ['a symbol', Symbol(SECRET)],
  ['an error', new Error(SECRET)],
  ['a map', new Map([[SECRET, SECRET]])],
]

type Give = (value: unknown) => unknown

const IAM: readonly string[] = [
  ...['region', 'credentials', 'profile', 'hostname', 'port', 'dial', 'tokenProvider', 'rateLimit'],
  ...['maxWaitMs', 'ca', 'refreshBeforeMs', 'credentialsTimeoutMs', 'requireWriter', 'enabled', 'clock'],
  ...['maxLifetimeMs', 'password', 'store'],
] satisfies ReadonlyArray<keyof AuroraIamOptions | string>

const DRIVER = [
  ...['host', 'port', 'user', 'database', 'uri', 'ssl', 'password', 'password1', 'stream', 'socketPath'],
  ...['authPlugins', 'authSwitchHandler', 'connectTimeout', 'debug', 'enableCleartextPlugin', 'insecureAuth'],
]

const SSL = [
  'ca',
  'cert',
  'ciphers',
  'minVersion',
  'maxVersion',
  'rejectUnauthorized',
  'verifyIdentity',
  'servername',
]
const LIMIT = [
  'limit',
  'intervalMs',
  'maxWaitMs',
  'maxQueue',
  'store',
  'onStoreLost',
  'share',
  'dryRun',
  'clock',
]

const any = (value: unknown) => value as never

const PLACES: ReadonlyArray<readonly [place: string, give: Give]> = [
  ['createAuroraIam()', (value) => createAuroraIam(any(value))],
  ...IAM.map((name): [string, Give] => [
    `iam.${name}`,
    (value) => withAuroraIam(any(MYSQL2), any({ [name]: value })),
  ]),
  ...LIMIT.map((name): [string, Give] => [
    `rateLimit.${name}`,
    (value) => createAuroraIam({ rateLimit: any({ limit: 5, [name]: value }) }),
  ]),
  ...['host', 'port', 'other'].map((name): [string, Give] => [
    `dial.${name}`,
    (value) => withAuroraIam(any(MYSQL2), { dial: any({ [name]: value }) }),
  ]),
  ...['hostname', 'port', 'username'].map((name): [string, Give] => [
    `token().${name}`,
    (value) => createAuroraIam().token(any({ ...TARGET, [name]: value })),
  ]),
  [
    'what tokenProvider returns',
    (value) => createAuroraIam({ tokenProvider: () => any(value) }).token(TARGET),
  ],
  [
    'what credentials return',
    (value) => createAuroraIam({ credentials: async () => any(value) }).token(TARGET),
  ],
  ['mysql2()', (value) => withAuroraIam(any(value))],
  ['mysql2, second argument', (value) => withAuroraIam(any(MYSQL2), any(value))],
  ...DRIVER.map((name): [string, Give] => [
    `mysql2.${name}`,
    (value) => withAuroraIam(any({ ...MYSQL2, [name]: value })),
  ]),
  ...SSL.map((name): [string, Give] => [
    `mysql2.ssl.${name}`,
    (value) => withAuroraIam(any({ ...MYSQL2, ssl: { [name]: value } })),
  ]),
  ['knex()', (value) => withKnex(any(value))],
  ['knex, second argument', (value) => withKnex(any({ client: 'mysql2', connection: MYSQL2 }), any(value))],
  ...['client', 'connection', 'connectionPool'].map((name): [string, Give] => [
    `knex.${name}`,
    (value) => withKnex(any({ client: 'mysql2', connection: MYSQL2, [name]: value })),
  ]),
  ...DRIVER.map((name): [string, Give] => [
    `knex.connection.${name}`,
    (value) => auroraIamConnection(any({ ...MYSQL2, [name]: value })),
  ]),
  ['typeorm()', (value) => withTypeorm(any(value))],
  ['typeorm, second argument', (value) => withTypeorm(any(TYPEORM), any(value))],
  ...[
    'type',
    'host',
    'port',
    'username',
    'url',
    'ssl',
    'extra',
    'replication',
    'connectorPackage',
    'password',
    'connectTimeout',
  ].map((name): [string, Give] => [
    `typeorm.${name}`,
    (value) => withTypeorm(any({ ...TYPEORM, [name]: value })),
  ]),
  ...DRIVER.map((name): [string, Give] => [
    `typeorm.extra.${name}`,
    (value) => withTypeorm(any({ ...TYPEORM, extra: { [name]: value } })),
  ]),
  ...['host', 'port', 'username', 'url', 'ssl', 'password'].map((name): [string, Give] => [
    `typeorm.replication.master.${name}`,
    (value) =>
      withTypeorm(any({ type: 'mysql', replication: { master: { ...TYPEORM, [name]: value }, slaves: [] } })),
  ]),
  ...['master', 'slaves', 'restoreNodeTimeout', 'selector'].map((name): [string, Give] => [
    `typeorm.replication.${name}`,
    (value) =>
      withTypeorm(any({ type: 'mysql', replication: { master: TYPEORM, slaves: [], [name]: value } })),
  ]),
  ['prisma()', (value) => auroraIam(any(value))],
  ['prisma, second argument', (value) => auroraIam(any(PRISMA), any(value))],
  ...[
    ...[
      'url',
      'host',
      'port',
      'user',
      'database',
      'connectionLimit',
      'acquireTimeoutMs',
      'connectTimeoutMs',
      'ssl',
    ],
    ...['idleTimeoutMs', 'sessionVariables', 'connectAttributes', 'useTextProtocol', 'password'],
  ].map((name): [string, Give] => [
    `prisma.${name}`,
    (value) => auroraIam(any({ ...PRISMA, [name]: value })),
  ]),
  ['redisStore()', (value) => redisStore(any(value))],
  ['redisStore().prefix', (value) => redisStore(any({ eval() {}, evalSha() {} }), any({ prefix: value }))],
  ['createRateLimiter()', (value) => createRateLimiter(any(value)).close()],
  ...LIMIT.map((name): [string, Give] => [
    `createRateLimiter().${name}`,
    (value) => createRateLimiter(any({ limit: 5, [name]: value })).close(),
  ]),
]

/** Returns everything that a program may print of an error. */
function shownOf(error: unknown): string {
  const { message, stack, cause } = error as Error
  return [
    message,
    stack,
    String(cause),
    inspect(error, { depth: 9, showHidden: true }),
    JSON.stringify(error),
  ].join('\n')
}

test.each(PLACES)(
  '%s: a secret in the wrong type is in no message, stack, inspection or JSON',
  async (_place, give) => {
    for (const [type, value] of VALUES) {
      try {
        await give(value)
      } catch (error) {
        expect(shownOf(error), type).not.toContain(SECRET)
      }
    }
  },
)
