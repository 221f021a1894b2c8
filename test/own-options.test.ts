import { createAuroraIam } from '@aurora-iam/core'
import { adapterIam, openTogether } from '@aurora-iam/core/adapter'
import { withAuroraIam as withKnex } from '@aurora-iam/knex'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { auroraIam } from '@aurora-iam/prisma'
import {
  type AcquireOptions,
  createRateLimiter,
  type RateLimiter,
  type RateLimiterOptions,
  redisStore,
  sharedRateLimiter,
} from '@aurora-iam/rate-limit'
import { withAuroraIam as withTypeorm } from '@aurora-iam/typeorm'
import { afterEach, expect, test } from 'vitest'

const PLACE = { host: 'db.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com', database: 'app' }
const OURS = { credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' } }
const FOREIGN = { host: '127.0.0.1', port: 6_666 }

// What an attacker would choose, or a mistake would leave, for every name of an option.
const POLLUTION: Readonly<Record<string, unknown>> = {
  ...{ region: 'us-east-1', profile: 'foreign', hostname: 'foreign.example.com', port: 6_666 },
  ...{ dial: FOREIGN, tokenProvider: () => 'foreign', rateLimit: false, maxWaitMs: 1, refreshBeforeMs: 1 },
  ...{ ca: 'foreign', credentialsTimeoutMs: 1, requireWriter: true, enabled: false, clock: () => 0 },
  ...{ host: 'foreign.example.com', url: 'mysql://foreign', uri: 'mysql://foreign', password: 'foreign' },
  ...{ ssl: false, rejectUnauthorized: false, verifyIdentity: false, minVersion: 'TLSv1', ciphers: 'NULL' },
  ...{ connectTimeout: 1, authPlugins: { foreign: () => 'foreign' }, debug: true, connectTimeoutMs: 1 },
  ...{
    acquireTimeoutMs: 1,
    idleTimeoutMs: 1,
    connectionLimit: 99,
    useTextProtocol: true,
    username: 'foreign',
  },
  ...{ sessionToken: 'foreign', expiration: new Date(0), expireTime: new Date(0), dryRun: true },
  ...{ limit: 1, intervalMs: 1, maxQueue: 1, share: { processes: 9 }, onStoreLost: 'fail-open' },
  credentials: { accessKeyId: 'foreign', secretAccessKey: 'foreign' },
  ...{ resumeTimeoutMs: 1_000, createTimeoutMillis: 1, acquireTimeoutMillis: 1, acquireConnectionTimeout: 1 },
  ...{ afterCreate: () => 'foreign', validate: () => false },
  ...{ tcpTimeoutMs: 1, maxLifetimeMs: 10_000, watchEndpointMs: false, retireDemoted: false },
  ...{ retryRejectedLogins: true, retryReads: 'foreign', onProgress: 'foreign', prefix: 'foreign' },
  ...{ signal: AbortSignal.abort(), lane: 'background', group: 'foreign', timeoutMs: -1, store: {} },
  ...{ permitTtlMs: 1, recoveryIntervalMs: 1, maxInFlight: 1, backend: 'foreign', users: ['foreign'] },
  ...{
    idleTimeout: 1,
    database: 'foreign',
    user: 'foreign',
    driver: {},
    extra: {},
    pool: {},
    client: 'foreign',
  },
  ...{
    sessionVariables: 'foreign',
    connectAttributes: 'foreign',
    restoreNodeTimeout: 0,
    tableName: 'foreign',
  },
  ...{ replication: { master: FOREIGN, slaves: [] }, extra: { host: 'foreign' }, connectionPool: {} },
}

const prototype = Object.prototype as unknown as Record<string, unknown>

function pollute(name: string): void {
  Object.defineProperty(prototype, name, { value: POLLUTION[name], configurable: true, writable: true })
}

afterEach(() => {
  for (const name of Object.keys(POLLUTION)) delete prototype[name]
})

/** Returns what each package makes of the same options, without what differs from call to call. */
async function outcome(): Promise<string> {
  const iam = adapterIam(createAuroraIam({ ...OURS, clock: () => Date.parse('2026-11-23T12:00:00Z') }))
  const target = iam.resolve({ host: PLACE.host, port: 3306, user: 'app' })
  const { value } = await iam.token({ hostname: PLACE.host, port: 3306, username: 'app' })
  const limiter = createRateLimiter({ limit: 7 })
  const permit = await limiter.acquire()
  let asked: AcquireOptions = {}
  const observed = {
    stats: () => limiter.stats(),
    acquire: (options: AcquireOptions) => {
      asked = options
      return limiter.acquire(options)
    },
  } as RateLimiter
  const login = await adapterIam({ ...OURS, rateLimit: observed }).login(target)
  const { limit, intervalMs, maxWaitMs, waiting } = { maxWaitMs: iam.longestWaitMs, ...limiter.stats() }
  permit.release()
  login.cancel()
  limiter.close()
  const extension = auroraIam({ ...PLACE, user: 'app' }, OURS).extension()
  await openTogether({ acquire: async () => 1, release: () => {}, size: 1 }, 1)
  const knex = withKnex({ client: 'mysql2', connection: { ...PLACE, user: 'app' }, pool: { min: 0 } }, OURS)
  const hooks = knex.pool as { afterCreate: (connection: object, done: (error: unknown) => void) => void }
  const created = await new Promise((resolve) => hooks.afterCreate({}, resolve))
  auroraIam({ ...PLACE, user: 'app' }, OURS)
  const seen = {
    enabled: iam.enabled,
    longestWaitMs: iam.longestWaitMs,
    hasWriterCheck: iam.writerCheck(target) !== undefined,
    target: Object.entries(target),
    dial: target.dial(target),
    login: [login.dial(), iam.tcpTimeoutMs, iam.retryRejectedLogins],
    asked: [asked.lane, asked.group === target, Object.keys(asked)],
    limiter: [limit, intervalMs, maxWaitMs, waiting],
    redisKeys: await keysOf(redisStore),
    extension: typeof extension,
    tls: Object.entries(iam.tls(target)),
    token: value,
    mysql2: Object.entries(withAuroraIam({ ...PLACE, user: 'app' }, OURS)),
    knex: Object.entries((knex.connection as () => object)()),
    knexPool: [Object.entries(knex.pool ?? {}), knex.acquireConnectionTimeout, created],
    typeorm: Object.entries(withTypeorm({ type: 'mysql', ...PLACE, username: 'app' }, OURS)),
    typeormExtra: namesIn(
      (
        withTypeorm(
          { type: 'mysql', ...PLACE, username: 'app', extra: { charset: 'utf8mb4' } },
          OURS,
        ) as unknown as { extra: object }
      ).extra,
    ),
  }
  return JSON.stringify(seen)
}

/** Returns the names of the properties of `value`, and of its authentication plugins. */
function namesIn(value: object): string[] {
  const { authPlugins = {} } = value as { authPlugins?: object }
  return [...Object.keys(value), ...Object.keys(authPlugins)]
}

/** Returns the keys that a store reads for the limiter `app`. */
async function keysOf(store: typeof redisStore): Promise<unknown> {
  let keys: unknown
  // The last argument names the process.
  const evaluate = (...args: unknown[]) => (keys = args.slice(0, -1))
  const client = { eval: evaluate, evalsha: evaluate }
  const limiter = sharedRateLimiter('app', { limit: 1, store: store(client as never) })
  const request = limiter.acquire().catch(() => {})
  limiter.close()
  await request
  return keys
}

/** Returns the names in the error for an unknown option. */
function knownOptions(create: () => unknown): string[] {
  try {
    create()
  } catch (error) {
    return (error as Error).message.replace(/.*(?:Known|use one of): /, '').match(/\w+/g)!
  }
  throw new Error('The unknown option was accepted.')
}

test('the options of the packages: each is among those that are polluted', () => {
  const unknown = { noOption: 1 } as object
  const known = [
    ...knownOptions(() => createAuroraIam(unknown)),
    ...knownOptions(() => createRateLimiter({ limit: 1, ...unknown } as RateLimiterOptions)),
    ...knownOptions(() => auroraIam(unknown)),
  ]
  expect(known.length).toBeGreaterThan(40)
  expect(known.filter((name) => !Object.hasOwn(POLLUTION, name))).toEqual([])
})

test.each(Object.keys(POLLUTION))(
  'Object.prototype.%s is set: no package reads it as an option',
  async (name) => {
    const expected = await outcome()
    pollute(name)
    const polluted = await outcome().catch((error: Error) => `${error.stack}`)
    delete prototype[name]
    expect(polluted).toBe(expected)
  },
)
