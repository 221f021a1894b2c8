import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { AdapterIam, ConnectionTarget } from '../../src/adapter.ts'
import { setUp } from '../set-up.ts'
import { MINUTE } from '../support.ts'

/** Plays a database that accepts the tokens which `accepts` accepts, and counts the logins. */
function database(iam: AdapterIam, target: ConnectionTarget, accepts: (token: string) => boolean) {
  const seen = { logins: 0, accepted: 0 }
  const open = async () => {
    const login = await iam.login(target)
    const { value } = await login.token()
    // All that come together are judged together.
    await new Promise(setImmediate)
    seen.logins++
    if (!accepts(value)) {
      const error = Object.assign(new Error('Access denied'), { errno: 1045 })
      login.fail(error)
      throw error
    }
    seen.accepted++
    login.succeed()
  }
  return { seen, open: () => iam.retryRejected(open) }
}

/** Logs in once. Then the database rejects that token, and accepts a new one only if it `takesNew`. */
async function withStaleToken({ takesNew = true } = {}) {
  const set = setUp()
  const { value } = await set.iam.token(set.target)
  let takesOld = true
  const it = database(set.iam, set.target, (token) => (token === value ? takesOld : takesNew))
  await it.open()
  takesOld = false
  set.clock.now += 1_000
  it.seen.logins = 0
  it.seen.accepted = 0
  return { ...set, ...it }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a rejected token from the cache', () => {
  test('one rejected login: repeated once, with a new token', async () => {
    const { open, seen, iam } = await withStaleToken()
    await open()
    expect(seen).toEqual({ logins: 2, accepted: 1 })
    expect(iam.stats()).toMatchObject({ tokensSigned: 2, credentialsResolved: 2 })
  })

  test('ten together: one tries, nine follow, all are in', async () => {
    const { open, seen, iam } = await withStaleToken()
    await Promise.all(Array.from({ length: 10 }, open))
    expect(seen).toEqual({ logins: 20, accepted: 10 })
    expect(iam.stats()).toMatchObject({ tokensSigned: 2, credentialsResolved: 2 })
  })

  test('ten together, and the new token is rejected as well: eleven logins, each with a separate error', async () => {
    const { open, seen } = await withStaleToken({ takesNew: false })
    const attempts = Array.from({ length: 10 }, () => rejectionOf(open()))
    const errors = await Promise.all(attempts)
    expect(seen).toEqual({ logins: 11, accepted: 0 })
    expect(new Set(errors).size).toBe(10)
    for (const error of errors) expect(error).toMatchObject({ errno: 1045, message: 'Access denied' })
  })

  test.each([
    ['is accepted: nine retry and follow', true, { logins: 19, accepted: 10 }, { failed: 0, hinted: 0 }],
    [
      'is rejected as well: ten logins and one more',
      false,
      { logins: 11, accepted: 1 },
      { failed: 9, hinted: 1 },
    ],
  ])('a cold start of ten, one accepted: the new token %s', async (_what, takesNew, logins, failures) => {
    const { iam, target, clock } = setUp()
    const tokens: string[] = []
    const { open, seen } = database(iam, target, (token) => {
      tokens.push(token)
      // Else a new token would be the same.
      clock.now += 1_000
      return tokens.length === 1 || (takesNew && token !== tokens[0])
    })
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, open))
    expect(seen).toEqual(logins)
    const errors = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason)
    // Only the probe gets the hint that its token was new.
    const hinted = errors.filter(({ cause }) => cause !== undefined).length
    expect({ failed: errors.length, hinted }).toEqual(failures)
  })

  test('a token that no login has used yet: repeated once, as any token from the cache', async () => {
    useMovedClock()
    const { iam, target, clock } = setUp()
    const { value } = await iam.token(target)
    vi.advanceTimersByTime(1_000)
    clock.now += 1_000
    const { open, seen } = database(iam, target, (token) => token !== value)
    await open()
    expect(seen).toEqual({ logins: 2, accepted: 1 })
  })

  test('two users at once: a probe of one says nothing about the other', async () => {
    useMovedClock()
    const { iam, target, clock } = setUp()
    const users = [target, { ...target, username: 'other' }]
    const old = await Promise.all(users.map((user) => iam.token(user)))
    vi.advanceTimersByTime(1_000)
    clock.now += 1_000
    const [rejected, accepted] = users.map((user, index) =>
      database(iam, user, (token) => index === 1 && token !== old[index]!.value),
    )
    await Promise.all([rejectionOf(rejected!.open()), accepted!.open()])
    expect([rejected!.seen, accepted!.seen]).toEqual([
      { logins: 2, accepted: 0 },
      { logins: 2, accepted: 1 },
    ])
  })

  test('a token that a probe has just brought is rejected as well: no retry within five seconds', async () => {
    const { iam, target, clock, open, seen } = await withStaleToken()
    await open()
    const { value } = await iam.token(target)
    clock.now += 1_000
    const again = database(iam, target, (token) => token !== value)
    await rejectionOf(again.open())
    expect([seen.logins, again.seen.logins]).toEqual([2, 1])
  })

  test('repeated rejections: one retry in five seconds', async () => {
    useMovedClock()
    const { iam, target, clock } = setUp()
    let takes = true
    const { open, seen } = database(iam, target, () => takes)
    const cacheOne = async () => {
      takes = true
      await open()
      takes = false
      clock.now += 1_000
      vi.advanceTimersByTime(10)
      seen.logins = 0
    }
    await cacheOne()
    await rejectionOf(open())
    expect(seen.logins).toBe(2)
    await cacheOne()
    await rejectionOf(open())
    expect(seen.logins).toBe(1)
    // The third rejection comes 5 seconds after the probe.
    vi.advanceTimersByTime(4_980)
    await cacheOne()
    await rejectionOf(open())
    expect(seen.logins).toBe(2)
  })
})

describe('a new token', () => {
  const refusedAtOnce = async (
    prepare: (set: ReturnType<typeof setUp>) => void | Promise<void> = () => {},
  ) => {
    const set = setUp()
    let takes = true
    const { open, seen } = database(set.iam, set.target, () => takes)
    await prepare(set)
    takes = false
    const error = await rejectionOf(open())
    return { error, seen }
  }

  test('a new token that many logins share: no retry', async () => {
    const { iam, target } = setUp()
    const { open, seen } = database(iam, target, () => false)
    await Promise.all(Array.from({ length: 10 }, () => rejectionOf(open())))
    expect(seen.logins).toBe(10)
  })

  test('1045 before a token was requested: the cause says so, unless the error has one', async () => {
    const { iam, login } = setUp()
    const cause = new Error('its own')
    for (const options of [undefined, { cause }]) {
      const error = Object.assign(new Error('Access denied', options), { errno: 1045 })
      ;(await login()).fail(error)
      if (options) expect(error.cause).toBe(cause)
      else expect((error.cause as Error).message).toMatch(/did not ask for a token/)
    }
    expect(iam.stats()).toMatchObject({ connectionsFailed: 2, tokensSigned: 1 })
  })

  test("a rejected new token: the server's error is unchanged, and its cause lists what to check", async () => {
    const { error } = await refusedAtOnce()
    expect(error).toMatchObject({ errno: 1045, message: 'Access denied' })
    expect(Object.keys(error)).toEqual(['errno'])
    expect(Object.getOwnPropertyDescriptor(error, 'cause')).toMatchObject({
      writable: true,
      configurable: true,
    })
    expect(error.cause).toMatchObject({ code: 'ERR_AURORA_IAM_ACCESS_DENIED', retryable: false })
    expect((error.cause as Error).message).toMatch(
      /for app at db\d+.*:3306; no login has been accepted before.*\(1\) .*rds-db:connect.*\(6\) the clock of this machine, which shows 2026-11-23T12:00:00.000Z/,
    )
  })

  test.each([
    ['20 minutes forward', 20 * MINUTE, /\(1\) the clock of this machine was set forward by 20 min/],
    ['20 minutes back', -20 * MINUTE, /\(1\) the clock of this machine was set back by 20 min/],
    ['a second forward', 1_000, /\(1\) the identity/],
  ])('the clock was set %s: that comes first, or is not named', async (_title, by, expected) => {
    const { error } = await refusedAtOnce(({ clock }) => {
      clock.now += by
    })
    expect((error.cause as Error).message).toMatch(expected)
  })

  test('an error with a cause: the cause is kept', async () => {
    const { iam, target } = setUp()
    const cause = new Error('its own')
    const error = Object.assign(new Error('Access denied', { cause }), { errno: 1045 })
    const login = await iam.login(target)
    await login.token()
    login.fail(error)
    expect(error.cause).toBe(cause)
  })
})

test('another error: no retry', async () => {
  const { iam } = setUp()
  let calls = 0
  const error = new Error('no route')
  const open = async () => {
    calls++
    throw error
  }
  await expect(iam.retryRejected(open)).rejects.toBe(error)
  expect(calls).toBe(1)
})

test('a provider that fails after a rejection: its earlier credentials are used, and it is called again', async () => {
  let isDown = false
  const credentials = async () => {
    if (isDown) throw new Error('down')
    return STATIC
  }
  const { iam, target, clock } = setUp({ credentials })
  const login = await iam.login(target)
  await login.token()
  isDown = true
  login.fail(Object.assign(new Error('Access denied'), { errno: 1045 }))
  clock.now += 1_000
  await iam.token(target)
  const asked = iam.stats().credentialsResolved
  await iam.token({ ...target, username: 'other' })
  expect(iam.stats()).toMatchObject({ tokensSigned: 3, credentialsResolved: asked + 1 })
})
