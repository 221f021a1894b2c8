import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { AdapterIam } from '../../src/adapter.ts'
import type { AuroraIamOptions } from '../../src/index.ts'
import { setUp } from '../set-up.ts'
import { MINUTE, START } from '../support.ts'

const HOUR = 60 * MINUTE

/** Returns the message of the cause when a new token for `user` at `host` is rejected. */
async function hint(iam: AdapterIam, host: string, user = 'app', port = 3306): Promise<string> {
  const login = await iam.login(iam.resolve({ host, port, user }))
  await login.token()
  const error = Object.assign(new Error('Access denied'), { errno: 1045 })
  login.fail(error)
  expect(error).toMatchObject({ message: 'Access denied', cause: { code: 'ERR_AURORA_IAM_ACCESS_DENIED' } })
  return (error.cause as unknown as Error).message
}

async function accepted(iam: AdapterIam, host: string, user = 'app'): Promise<void> {
  const login = await iam.login(iam.resolve({ host, port: 3306, user }))
  await login.token()
  login.succeed()
}

/** Creates an AuroraIam whose two clocks `pass` moves. */
function setUpOnClocks(options?: AuroraIamOptions) {
  useMovedClock()
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const set = setUp(options)
  const pass = (ms: number) => {
    vi.advanceTimersByTime(ms)
    set.clock.now += ms
  }
  return { ...set, pass }
}

describe('the clock is suspected first', () => {
  const endingIn = (ms: number) => ({ credentials: { ...STATIC, expiration: new Date(START + ms) } })

  test('credentials that live longer than AWS permits: the clock comes first', async () => {
    const { iam, target } = setUp(endingIn(36 * HOUR + 20 * MINUTE))
    expect(await hint(iam, target.hostname)).toMatch(
      /\(1\) the clock of this machine, which shows 2026-11-23T12:00:00.000Z, is probably slow: .* in 36 h/,
    )
  })

  test('several users rejected and none accepted: the clock comes first', async () => {
    const { iam, target } = setUp()
    expect(await hint(iam, target.hostname)).toMatch(/\(1\) the identity.*\(6\) the clock/)
    expect(await hint(iam, target.hostname)).toMatch(/\(1\) the identity.*\(6\) the clock/)
    expect(await hint(iam, target.hostname, 'reporting')).toMatch(
      /\(1\) the clock .* several users or endpoints were rejected and none was accepted.*\(2\) the identity/,
    )
  })

  test('a login is accepted afterwards: neither the rejections before it nor a jump of the clock count', async () => {
    const { iam, target, clock } = setUp()
    await hint(iam, target.hostname)
    await hint(iam, target.hostname, 'reporting')
    clock.now += 20 * MINUTE
    await accepted(iam, target.hostname)
    expect(await hint(iam, target.hostname, 'reporting')).toMatch(/\(1\) the identity/)
  })

  test('not once: the same of one user, a login that was accepted, credentials of a usual life', async () => {
    const { iam, target } = setUp(endingIn(36 * HOUR))
    await accepted(iam, target.hostname)
    for (const user of ['one', 'two', 'three']) {
      expect(await hint(iam, target.hostname, user)).toMatch(/1 logins were accepted.*\(1\) the identity/)
    }
  })

  test('several signs of a wrong clock: the clock is named once', async () => {
    const { iam, target, clock } = setUp()
    clock.now += 20 * MINUTE
    const said = await hint(iam, target.hostname)
    expect(said.match(/the clock/g)).toHaveLength(1)
    expect(said).toMatch(/set forward by 20 min since the start.* and now shows 2026-11-23T12:20:00.000Z/)
  })
})

test('the 20th login within a second: the rate comes first, and no longer when that second is over', async () => {
  const { iam, target, pass } = setUpOnClocks()
  for (let login = 1; login < 19; login++) await hint(iam, target.hostname)
  pass(999)
  expect(await hint(iam, target.hostname)).toMatch(/\(1\) the identity/)
  expect(await hint(iam, target.hostname)).toMatch(/\(1\) the database throttles/)
  pass(1)
  await accepted(iam, target.hostname, 'reporting')
  expect(await hint(iam, target.hostname)).toMatch(/\(1\) the identity/)
})

test('temporary credentials without an expiration: their age counts from when they were first received', async () => {
  let accessKeyId = 'ASIAFIRST'
  const { iam, target, pass } = setUpOnClocks({
    credentials: async () => ({ ...STATIC, sessionToken: 'session', accessKeyId }),
  })
  pass(5 * HOUR)
  await accepted(iam, target.hostname)
  pass(1 * HOUR)
  await accepted(iam, target.hostname)
  pass(1 * HOUR)
  expect(await hint(iam, target.hostname)).toContain('came without an expiration 120 min ago')
  accessKeyId = 'ASIASECOND'
  pass(1 * HOUR)
  expect(await hint(iam, target.hostname)).toContain('have no expiration, and may have expired before')
})

test('a user who was accepted 20 minutes ago: the hint says so, and does not suspect the clock that moved as far', async () => {
  const { iam, target, pass } = setUpOnClocks()
  pass(5 * MINUTE)
  await accepted(iam, target.hostname)
  pass(20 * MINUTE)
  expect(await hint(iam, target.hostname)).toMatch(
    /\(1\) since the last accepted login of app, 20 min ago, its permission was withdrawn/,
  )
})

describe('the port of a tunnel was signed', () => {
  const HOSTNAME = 'db.cluster-tunnelled.eu-west-1.rds.amazonaws.com'
  const SUSPICION =
    /\(1\) the token is signed for port 43745, which leads to 127\.0\.0\.1.* `port` .*\(2\) the identity/

  test.each([
    ['host', { hostname: HOSTNAME }, '127.0.0.1'],
    ['dial', { dial: { host: '127.0.0.1' } }, HOSTNAME],
  ])('`%s` leads to another port than the signed one: the tunnel comes first', async (_, options, host) => {
    const { iam } = setUp(options)
    expect(await hint(iam, host, 'app', 43745)).toMatch(SUSPICION)
  })

  test('evidence against the clock and a tunnel: the clock comes first', async () => {
    const { iam, clock } = setUp({ hostname: HOSTNAME })
    clock.now += 20 * MINUTE
    expect(await hint(iam, '127.0.0.1', 'app', 43745)).toMatch(
      /\(1\) the clock .*\(2\) the token is signed for port/,
    )
  })

  test('the usual port, no tunnel, or accepted logins: no tunnel is suspected', async () => {
    const usual = setUp({ hostname: HOSTNAME })
    expect(await hint(usual.iam, '127.0.0.1')).toMatch(/\(1\) the identity/)
    const own = setUp({ hostname: HOSTNAME, port: 3307 })
    expect(await hint(own.iam, '127.0.0.1', 'app', 43745)).toMatch(/\(1\) the identity/)
    const direct = setUp()
    expect(await hint(direct.iam, HOSTNAME, 'app', 3307)).toMatch(/\(1\) the identity/)
    const used = setUp({ hostname: HOSTNAME })
    await accepted(used.iam, '127.0.0.1')
    expect(await hint(used.iam, '127.0.0.1', 'app', 43745)).toMatch(/\(1\) the identity/)
  })

  test('a `dial` function: the address that it returned counts', async () => {
    const addresses = ['127.0.0.1', HOSTNAME]
    const dial = () => ({ host: addresses.shift() as string })
    const { iam } = setUp({ dial })
    const login = await iam.login(iam.resolve({ host: HOSTNAME, port: 43745, user: 'app' }))
    await login.token()
    const error = Object.assign(new Error('Access denied'), { errno: 1045 })
    login.fail(error)
    expect(String(error.cause)).toMatch(/\(1\) the token is signed for port 43745, which leads to 127.0.0.1/)
  })
})

describe('a Region that the host name does not tell', () => {
  const GLOBAL = 'bank.global-abcdefghijkl.global.rds.amazonaws.com'

  test('a Region from the environment: named before the set-up in the database', async () => {
    const { iam } = setUp({ hostname: GLOBAL, region: 'us-east-1' })
    expect(await hint(iam, '127.0.0.1')).toMatch(
      /\(1\) the database is in another Region than us-east-1, .* `region`.*; \(2\) the identity/,
    )
  })

  test('accepted logins: the Region is not named', async () => {
    const { iam } = setUp({ hostname: GLOBAL, region: 'us-east-1' })
    await accepted(iam, '127.0.0.1')
    expect(await hint(iam, '127.0.0.1', 'reporting')).toMatch(/\(1\) the identity/)
  })

  test('a Region that only the AWS SDK knows: named as the configured one', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { iam } = setUp({ hostname: 'db.bank.internal', tokenProvider: () => 'opaque' })
    expect(await hint(iam, '127.0.0.1')).toMatch(
      /\(1\) .* another Region than that of the AWS configuration, /,
    )
  })
})

test('credentials that the AWS SDK uses after their expiry: named', async () => {
  const originalExpiration = new Date(START - HOUR)
  const credentials = { ...STATIC, expiration: new Date(START + 7 * MINUTE), originalExpiration }
  const { iam, target } = setUp({ credentials })
  expect(await hint(iam, target.hostname)).toMatch(
    /\(1\) the credentials that signed expired at 2026-11-23T11:00:00.000Z, and are used until/,
  )
})

test('a tokenProvider: credentials are not named', async () => {
  const { iam, target } = setUp({ tokenProvider: () => 'opaque' })
  expect(await hint(iam, target.hostname)).toMatch(/\(1\) the identity/)
})

test('a tokenProvider whose token is for another user: named', async () => {
  const other = setUp()
  const { iam } = setUp({
    tokenProvider: async ({ hostname, port }) =>
      (await other.iam.token({ hostname, port, username: 'other' })).value,
  })
  expect(await hint(iam, other.target.hostname)).toMatch(
    /\(1\) the token of `tokenProvider` is for another user than app/,
  )
})

test('no tokenProvider, and a token that expires before the database rejects it: none is named', async () => {
  const { target, login: begin, pass } = setUpOnClocks()
  const login = await begin()
  await login.token()
  pass(16 * MINUTE)
  const error = Object.assign(new Error('Access denied'), { errno: 1045 })
  login.fail(error)
  expect(String(error.cause)).toContain(`for app at ${target.hostname}`)
  expect(String(error.cause)).not.toContain('tokenProvider')
})

test('credentials that had expired when they arrived: the error has the time of this machine’s clock', async () => {
  const credentials = { ...STATIC, expiration: new Date(START - 5 * MINUTE) }
  const { iam, target } = setUp({ credentials })
  expect(await rejectionOf(iam.token(target))).toMatchObject({
    code: 'ERR_AURORA_IAM_CREDENTIALS_INVALID',
    message: expect.stringMatching(
      /expired at 2026-11-23T11:55:00.000Z, and the clock of this machine shows 2026-11-23T12:00:00.000Z.*probably fast/,
    ),
  })
})
