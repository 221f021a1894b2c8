import { describe, expect, test } from 'vitest'
import type { AuroraIam } from '../src/index.ts'
import { setUp } from './set-up.ts'
import { MINUTE, rejection, START, STATIC } from './support.ts'

const HOUR = 60 * MINUTE

/** What the library says in the cause of the refusal of a new token for `user` at `host`. */
async function hint(iam: AuroraIam, host: string, user = 'app'): Promise<string> {
  const login = await iam.login(iam.resolve({ host, port: 3306, user }))
  await login.token()
  const error = Object.assign(new Error('Access denied'), { errno: 1045 })
  login.failed(error)
  expect(error).toMatchObject({ message: 'Access denied', cause: { code: 'ERR_AURORA_IAM_LOGIN_REFUSED' } })
  return (error.cause as unknown as Error).message
}

async function accepted(iam: AuroraIam, host: string, user = 'app'): Promise<void> {
  const login = await iam.login(iam.resolve({ host, port: 3306, user }))
  await login.token()
  login.accepted()
}

describe('the clock is suspected first', () => {
  const endingIn = (ms: number) => ({ credentials: { ...STATIC, expiration: new Date(START + ms) } })

  test('when the credentials would live longer than AWS lets any', async () => {
    const { iam, target } = setUp(endingIn(36 * HOUR + 20 * MINUTE))
    expect(await hint(iam, target.hostname)).toMatch(
      /\(1\) the clock of this machine, which says 2026-11-23T12:00:00.000Z, is probably slow: .* in 36 h/,
    )
  })

  test('when several users were refused and none accepted', async () => {
    const { iam, target } = setUp()
    expect(await hint(iam, target.hostname)).toMatch(/\(1\) the identity.*\(3\) the clock/)
    expect(await hint(iam, target.hostname)).toMatch(/\(1\) the identity.*\(3\) the clock/)
    expect(await hint(iam, target.hostname, 'reporting')).toMatch(
      /\(1\) the clock .* several users or endpoints were refused and none was accepted.*\(2\) the identity/,
    )
  })

  test('not once: the same of one user, a login that was accepted, credentials of a usual life', async () => {
    const { iam, target } = setUp(endingIn(36 * HOUR))
    await accepted(iam, target.hostname)
    for (const user of ['one', 'two', 'three']) {
      expect(await hint(iam, target.hostname, user)).toMatch(/1 logins were accepted.*\(1\) the identity/)
    }
  })

  test('whatever is suspected, it is said once', async () => {
    const { iam, target, clock } = setUp()
    clock.now += 20 * MINUTE
    const said = await hint(iam, target.hostname)
    expect(said.match(/the clock/g)).toHaveLength(1)
    expect(said).toMatch(/set forward by 20 min since the start.* and now says 2026-11-23T12:20:00.000Z/)
  })
})

test('credentials that the AWS SDK uses on after their end are named', async () => {
  const originalExpiration = new Date(START - HOUR)
  const credentials = { ...STATIC, expiration: new Date(START + 7 * MINUTE), originalExpiration }
  const { iam, target } = setUp({ credentials })
  expect(await hint(iam, target.hostname)).toMatch(
    /\(1\) the credentials that signed ended at 2026-11-23T11:00:00.000Z, and are used on/,
  )
})

test('with a tokenProvider nothing is said of credentials', async () => {
  const { iam, target } = setUp({ tokenProvider: () => 'opaque' })
  expect(await hint(iam, target.hostname)).toMatch(/\(1\) the identity/)
})

test('credentials that had ended when they came: the time that this machine says is in the error', async () => {
  const credentials = { ...STATIC, expiration: new Date(START - 5 * MINUTE) }
  const { iam, target } = setUp({ credentials })
  expect(await rejection(iam.token(target))).toMatchObject({
    code: 'ERR_AURORA_IAM_CREDENTIALS_INVALID',
    message: expect.stringMatching(
      /expired at 2026-11-23T11:55:00.000Z, and the clock of this machine says 2026-11-23T12:00:00.000Z.*probably fast/,
    ),
  })
})
