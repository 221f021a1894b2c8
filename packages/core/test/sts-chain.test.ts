import { inspect } from 'node:util'
import { isolateAwsEnvironment, pathOf, write } from '@aurora-iam/test-support/aws-environment'
import { SECRET } from '@aurora-iam/test-support/example-credentials'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { type StsAnswer, type StsRequest, serveSts } from '@aurora-iam/test-support/sts'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { accessKeyId, refused, start } from './chain.ts'
import { MINUTE, TARGET } from './support.ts'

isolateAwsEnvironment()

let asked: StsRequest[]
/** Answer of the STS, the same to each request. */
let answer: (request: StsRequest) => StsAnswer

beforeEach(async () => {
  asked = []
  answer = () => ({ accessKeyId: 'AKIDROLE' })
  const url = await serveSts((request) => {
    asked.push(request)
    return answer(request)
  })
  vi.stubEnv('AWS_ENDPOINT_URL_STS', url)
  vi.stubEnv('AWS_REGION', 'eu-west-1')
})

const ROLE = 'arn:aws:iam::123456789012:role/app'
const DENIED = { code: 'AccessDenied', message: 'User is not authorized to perform: sts:AssumeRole' }

describe('web identity, as EKS gives it to a service account', () => {
  beforeEach(async () => {
    await write('jwt', 'jwt-one')
    vi.stubEnv('AWS_ROLE_ARN', ROLE)
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', pathOf('jwt'))
  })

  test('a token in the file: the role is assumed with it, and signs', async () => {
    expect(await accessKeyId(start())).toBe('AKIDROLE')
    expect(asked).toMatchObject([
      { Action: 'AssumeRoleWithWebIdentity', RoleArn: ROLE, WebIdentityToken: 'jwt-one' },
    ])
  })

  test('the role expires: the token expires with it, and the next uses the current token of the file', async () => {
    let now = Date.now()
    const iam = start({ clock: () => now })
    answer = () => ({ accessKeyId: `AKIDROLE${asked.length}`, lifeMinutes: 20 })
    await accessKeyId(iam)
    await write('jwt', 'jwt-two')
    now += 17 * MINUTE
    answer = () => ({ accessKeyId: `AKIDROLE${asked.length}`, lifeMinutes: 60 })
    expect(await accessKeyId(iam)).toBe('AKIDROLE2')
    expect(asked.map(({ WebIdentityToken }) => WebIdentityToken)).toEqual(['jwt-one', 'jwt-two'])
  })

  test('rejected by STS: UNAVAILABLE with its message, without the token of the file', async () => {
    answer = () => DENIED
    const error = await rejectionOf(start().token(TARGET))
    expect(error).toMatchObject({
      code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE',
      retryable: true,
      cause: { name: 'AccessDenied' },
    })
    expect(error.message).toContain(DENIED.message)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/jwt-one/)
  })

  test('a file that is not there: UNAVAILABLE, and which', async () => {
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', pathOf('gone'))
    const error = await rejectionOf(start().token(TARGET))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE', cause: { code: 'ENOENT' } })
    expect(error.message).toContain('gone')
  })
})

describe('a role in another account', () => {
  const SOURCE = `[source]\naws_access_key_id = AKIDSOURCE\naws_secret_access_key = ${SECRET}\n`
  const CHAIN = `[profile app]
role_arn = ${ROLE}
source_profile = hub
external_id = contract-7
[profile hub]
role_arn = arn:aws:iam::999999999999:role/hub
source_profile = source
`

  beforeEach(async () => {
    await write('credentials', SOURCE)
    await write('config', CHAIN)
    vi.stubEnv('AWS_PROFILE', 'app')
    answer = ({ RoleArn }) => ({ accessKeyId: RoleArn === ROLE ? 'AKIDAPP' : 'AKIDHUB' })
  })

  test('a chain of roles: each is assumed by the one before it, the last with its external id', async () => {
    expect(await accessKeyId(start())).toBe('AKIDAPP')
    expect(asked).toMatchObject([
      { Action: 'AssumeRole', RoleArn: 'arn:aws:iam::999999999999:role/hub', accessKeyId: 'AKIDSOURCE' },
      { Action: 'AssumeRole', RoleArn: ROLE, accessKeyId: 'AKIDHUB', ExternalId: 'contract-7' },
    ])
    expect(asked[0]?.ExternalId).toBeUndefined()
  })

  test('500 connections: the role is assumed once', async () => {
    const iam = start()
    await Promise.all(Array.from({ length: 500 }, () => accessKeyId(iam)))
    expect(asked).toHaveLength(2)
  })

  test('the source key is replaced in the file: used once the database has rejected the old one', async () => {
    const iam = start()
    await accessKeyId(iam)
    await write('credentials', SOURCE.replace('AKIDSOURCE', 'AKIDNEXT'))
    await refused(iam)
    await accessKeyId(iam)
    expect(asked.map((request) => request.accessKeyId)).toEqual([
      'AKIDSOURCE',
      'AKIDHUB',
      'AKIDNEXT',
      'AKIDHUB',
    ])
  })

  test('a role rejected in the chain: UNAVAILABLE with the message of STS, and usable when it is allowed', async () => {
    answer = ({ RoleArn }) => (RoleArn === ROLE ? DENIED : { accessKeyId: 'AKIDHUB' })
    const iam = start()
    const error = await rejectionOf(iam.token(TARGET))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE', retryable: true })
    expect(error.message).toContain(DENIED.message)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET)
    answer = () => ({ accessKeyId: 'AKIDAPP' })
    expect(await accessKeyId(iam)).toBe('AKIDAPP')
  })

  test('STS that takes requests and never answers: TIMEOUT in bounded time, and usable when it is back', async () => {
    answer = () => undefined
    const iam = start({ credentialsTimeoutMs: 200 })
    expect(await rejectionOf(iam.token(TARGET))).toMatchObject({
      code: 'ERR_AURORA_IAM_CREDENTIALS_TIMEOUT',
      message: expect.stringContaining('STS can be reached'),
    })
    answer = () => ({ accessKeyId: 'AKIDBACK' })
    expect(await accessKeyId(iam)).toBe('AKIDBACK')
  })

  test('away while a token is cached: no effect; back: the pool recovers automatically', async () => {
    let now = Date.now()
    const iam = start({ clock: () => now })
    answer = () => ({ accessKeyId: 'AKIDAPP', lifeMinutes: 16 })
    await accessKeyId(iam)
    now += 14 * MINUTE
    answer = () => DENIED
    for (let second = 0; second < 30; second += 5) {
      expect(await accessKeyId(iam)).toBe('AKIDAPP')
      now += 5_000
    }
    answer = () => ({ accessKeyId: 'AKIDBACK' })
    now += MINUTE
    expect(await accessKeyId(iam)).toBe('AKIDBACK')
  })
})

describe('the Region of AWS STS', () => {
  const DATABASES = {
    Sydney: 'db.cluster-abcdefghijkl.ap-southeast-2.rds.amazonaws.com',
    China: 'db.cluster-abcdefghijkl.rds.cn-north-1.amazonaws.com.cn',
    GovCloud: 'db.cluster-abcdefghijkl.us-gov-west-1.rds.amazonaws.com',
  }
  const PROFILE = `[profile app]\nrole_arn = ${ROLE}\nsource_profile = source\n`
  const SOURCE_KEYS = `[source]\naws_access_key_id = AKIDSOURCE\naws_secret_access_key = ${SECRET}\n`

  beforeEach(async () => {
    await write('config', PROFILE)
    await write('credentials', SOURCE_KEYS)
  })

  test.each([
    [undefined, DATABASES.Sydney, 'ap-southeast-2'],
    [undefined, DATABASES.China, 'cn-north-1'],
    [undefined, DATABASES.GovCloud, 'us-gov-west-1'],
    ['eu-west-1', DATABASES.Sydney, 'eu-west-1'],
    ['us-east-1', DATABASES.China, 'cn-north-1'],
  ])('AWS_REGION %s, database %s: %s, without a warning of the SDK', async (configured, hostname, region) => {
    vi.stubEnv('AWS_REGION', configured)
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await start({ profile: 'app' }).token({ ...TARGET, hostname })
    expect(asked).toMatchObject([{ Action: 'AssumeRole', region }])
    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
  })

  test('databases of two partitions: STS is asked in the partition of each', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    const iam = start({ profile: 'app' })
    for (const hostname of [DATABASES.China, DATABASES.Sydney, DATABASES.China])
      await iam.token({ ...TARGET, hostname })
    // The token of the first is cached.
    expect(asked.map(({ region }) => region)).toEqual(['cn-north-1', 'ap-southeast-2'])
  })

  test('databases of two partitions at once: STS is asked in the partition of each', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    const iam = start({ profile: 'app' })
    const hosts = [DATABASES.China, DATABASES.Sydney]
    await Promise.all(hosts.map((hostname) => iam.token({ ...TARGET, hostname })))
    expect(asked.map(({ region }) => region).sort()).toEqual(['ap-southeast-2', 'cn-north-1'])
  })

  test('a Region of the role profile: it is the one', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    await write('config', `${PROFILE}region = eu-north-1\n`)
    await start({ profile: 'app' }).token({ ...TARGET, hostname: DATABASES.Sydney })
    expect(asked).toMatchObject([{ region: 'eu-north-1' }])
  })

  test('a web identity without AWS_REGION: no warning of the SDK about us-east-1', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    await write('jwt', 'jwt')
    vi.stubEnv('AWS_ROLE_ARN', ROLE)
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', pathOf('jwt'))
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    expect((await start().token({ ...TARGET, hostname: DATABASES.Sydney })).value).toContain('AKIDROLE')
    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
  })
})

describe('the time in the answers of STS', () => {
  beforeEach(async () => {
    await write('jwt', 'jwt')
    vi.stubEnv('AWS_ROLE_ARN', ROLE)
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', pathOf('jwt'))
  })

  test.each([
    [
      '20 minutes fast',
      20,
      /\(1\) the clock of this machine shows .*, which is 20 min ahead of that of AWS STS/,
    ],
    [
      '20 minutes slow',
      -20,
      /\(1\) the clock of this machine shows .*, which is 20 min behind that of AWS STS/,
    ],
    ['right', 0, /\(1\) the identity/],
  ])('a clock that has been %s from the start: named first', async (_what, ahead, expected) => {
    const iam = start({ clock: () => Date.now() + ahead * MINUTE })
    expect(((await refused(iam)).cause as Error).message).toMatch(expected)
  })

  test('a right clock in a process that has run for an hour: not suspected', async () => {
    useMovedClock()
    vi.advanceTimersByTime(60 * MINUTE)
    const { cause } = await refused(start())
    vi.useRealTimers()
    expect((cause as Error).message).not.toMatch(/AWS STS/)
  })

  test('a clock that was corrected meanwhile: not suspected', async () => {
    let ahead = 20
    const iam = start({ clock: () => Date.now() + ahead * MINUTE })
    await refused(iam)
    ahead = 0
    expect(((await refused(iam)).cause as Error).message).not.toMatch(/AWS STS/)
  })
})
