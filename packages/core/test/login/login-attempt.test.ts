import { connect, type LookupFunction } from 'node:net'
import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { AdapterIam, LoginAttempt } from '../../src/adapter.ts'
import { AuthToken } from '../../src/index.ts'
import { setUp } from '../set-up.ts'
import { Clock, callersLimiter, Deferred, MINUTE, settle } from '../support.ts'

const denied = () =>
  Object.assign(new Error('Access denied'), { errno: 1045, code: 'ER_ACCESS_DENIED_ERROR' })

async function attempt(
  iam: AdapterIam,
  target: Parameters<AdapterIam['login']>[0],
  outcome?: Error,
): Promise<LoginAttempt> {
  const login = await iam.login(target)
  await login.token()
  if (outcome) login.fail(outcome)
  else login.succeed()
  return login
}

afterEach(() => {
  vi.useRealTimers()
})

describe('outcome', () => {
  const outcomes = (iam: AdapterIam) => {
    const [stats] = Object.values(iam.stats().rateLimits)
    return {
      ok: stats!.succeeded,
      failed: stats!.failed,
      throttled: stats!.throttled,
      cancelled: stats!.cancelled,
    }
  }
  const none = { ok: 0, failed: 0, throttled: 0, cancelled: 0 }

  test('an accepted token: a success for the limiter', async () => {
    const { iam, target } = setUp({ rateLimit: 20 })
    await attempt(iam, target)
    expect(outcomes(iam)).toEqual({ ...none, ok: 1 })
    expect(iam.stats()).toMatchObject({ connectionsOpened: 1, connectionsFailed: 0, lastError: undefined })
  })

  test.each([
    ['1045 to a new token is a failure', 'failed', denied()],
    [
      'silence after the token is throttling',
      'throttled',
      Object.assign(new Error('lost'), { code: 'PROTOCOL_CONNECTION_LOST' }),
    ],
    [
      'a reset after the token is throttling',
      'throttled',
      Object.assign(new Error('reset'), { errno: -104, code: 'ECONNRESET' }),
    ],
    [
      '"too many connections" is throttling, as RDS Proxy says it',
      'throttled',
      Object.assign(new Error('rate'), { errno: 1040, code: 'ER_CON_COUNT_ERROR' }),
    ],
    [
      'another answer of the server is a failure',
      'failed',
      Object.assign(new Error('no db'), { errno: 1049, code: 'ER_BAD_DB_ERROR' }),
    ],
  ] as const)('%s: a failure for the limiter', async (_title, outcome, error) => {
    const { iam, target } = setUp({ rateLimit: 20 })
    await attempt(iam, target, error)
    expect(outcomes(iam)).toEqual({ ...none, [outcome]: 1 })
    const { code, message } = error as Error & { code: string }
    // Only what the database answers to a token is explained.
    expect('cause' in error).toBe(code === 'ER_ACCESS_DENIED_ERROR')
    expect(iam.stats()).toMatchObject({
      connectionsFailed: 1,
      lastError: { code, message, at: expect.any(Date) },
    })
  })

  test('a name none of whose addresses answers: the last error has the error of each', async () => {
    const { iam, target } = setUp()
    const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }))
    const lookup: LookupFunction = (_name, _options, found) => found(null, addresses)
    const socket = connect({
      host: 'db.test',
      port: 1,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 30_000,
      lookup,
    })
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve))
    expect(error.message).toBe('')
    await attempt(iam, target, error)
    expect(iam.stats().lastError).toMatchObject({
      code: 'ECONNREFUSED',
      message: 'connect ECONNREFUSED 127.0.0.1:1; connect ECONNREFUSED 127.0.0.2:1',
    })
  })

  test.each([
    ['a separate message', new AggregateError([new Error('one')], 'all failed'), 'all failed'],
    ['no message', new Error(''), ''],
    ['causes of any type', new AggregateError([undefined, new Error('two')]), '; two'],
  ])('an error with %s: the last error has what there is', async (_what, error, message) => {
    const { iam, target } = setUp()
    await attempt(iam, target, error)
    expect(iam.stats().lastError).toMatchObject({ message })
  })

  test('1045 to a token that was accepted a moment ago: throttling', async () => {
    const { iam, target } = setUp({ rateLimit: 20 })
    await attempt(iam, target)
    await attempt(iam, target, denied())
    expect(outcomes(iam)).toEqual({ ...none, ok: 1, throttled: 1 })
  })

  test('1045 to the successors of that token is throttling too: each burst slows down', async () => {
    const { iam, target } = setUp({ rateLimit: 20 })
    const early = await iam.login(target)
    await early.token()
    for (let burst = 0; burst < 2; burst++) await attempt(iam, target, denied())
    expect(outcomes(iam)).toEqual({ ...none, failed: 2 })
    early.succeed()
    for (let burst = 0; burst < 3; burst++) await attempt(iam, target, denied())
    expect(iam.stats().tokensSigned).toBe(5)
    expect(outcomes(iam)).toEqual({ ...none, ok: 1, failed: 2, throttled: 3 })
  })

  test('1045 to its successor after another user got a token: throttling', async () => {
    const { iam, target } = setUp({ rateLimit: 20 })
    await attempt(iam, target)
    await attempt(iam, target, denied())
    await iam.token({ ...target, username: 'other' })
    await attempt(iam, target, denied())
    expect(outcomes(iam)).toEqual({ ...none, ok: 1, throttled: 2 })
  })

  test('1045 to the first token of other credentials: a failure', async () => {
    let accessKeyId = 'AKIDFIRST'
    const { iam, target } = setUp({ rateLimit: 20, credentials: async () => ({ ...STATIC, accessKeyId }) })
    await attempt(iam, target)
    accessKeyId = 'AKIDSECOND'
    await attempt(iam, target, denied())
    await attempt(iam, target, denied())
    expect(outcomes(iam)).toEqual({ ...none, ok: 1, throttled: 1, failed: 1 })
  })

  test('the network fails before the token was sent: no throttling', async () => {
    const { iam, login } = setUp({ rateLimit: 20 })
    const error = Object.assign(new Error('refused'), { errno: -111, code: 'ECONNREFUSED' })
    ;(await login()).fail(error)
    expect(error).not.toHaveProperty('cause')
    expect(outcomes(iam)).toEqual({ ...none, failed: 1 })
  })

  test('the network fails after a token before connect: no throttling; 1045 to an accepted one: throttling', async () => {
    const { iam, login } = setUp({ rateLimit: 20 })
    const lost = await login()
    await lost.tokenBeforeConnect()
    lost.fail(Object.assign(new Error('reset'), { errno: -104, code: 'ECONNRESET' }))
    const good = await login()
    await good.tokenBeforeConnect()
    good.succeed()
    const refused = await login()
    await refused.tokenBeforeConnect()
    refused.fail(denied())
    expect(outcomes(iam)).toEqual({ ...none, ok: 1, failed: 1, throttled: 1 })
  })

  test.each([
    ['succeed', { ok: 1 }, { connectionsOpened: 1, connectionsFailed: 0 }],
    ['fail', { failed: 1 }, { connectionsOpened: 0, connectionsFailed: 1 }],
    ['discard', { ok: 1 }, { connectionsOpened: 0, connectionsFailed: 1 }],
    ['abandon', { ok: 1 }, { connectionsOpened: 0, connectionsFailed: 0 }],
    ['cancel', { cancelled: 1 }, { connectionsOpened: 0, connectionsFailed: 0 }],
  ] as const)('%s, and then every report: only the first counts', async (first, permits, connections) => {
    const { iam, login } = setUp({ rateLimit: 20 })
    const it = await login()
    const heard = vi.fn()
    it.onEnd(heard)
    for (const report of [first, 'succeed', 'fail', 'discard', 'abandon', 'cancel'] as const) {
      it[report](denied())
      expect(outcomes(iam)).toEqual({ ...none, ...permits })
      expect(iam.stats()).toMatchObject(connections)
      expect(it.isOver).toBe(true)
    }
    expect(heard).toHaveBeenCalledOnce()
  })
})

describe('a rejected token', () => {
  test('1045: the token is evicted, and a refresh of the credentials is forced', async () => {
    const questions: unknown[] = []
    const credentials = async (options?: { forceRefresh?: boolean }) => {
      questions.push(options?.forceRefresh)
      return STATIC
    }
    const { iam, target, clock } = setUp({ credentials })
    await attempt(iam, target, denied())
    clock.now += 1_000
    await attempt(iam, target)
    expect(iam.stats().tokensSigned).toBe(2)
    expect(questions).toEqual([undefined, true])
  })

  test('many rejections at once: one eviction, one refresh', async () => {
    const { iam, target } = setUp()
    const logins = await Promise.all(Array.from({ length: 20 }, () => iam.login(target)))
    await Promise.all(logins.map((login) => login.token()))
    for (const login of logins) login.fail(denied())
    await iam.login(target)
    expect(iam.stats()).toMatchObject({ tokensSigned: 2, credentialsResolved: 2, connectionsFailed: 20 })
  })

  test('a user without the permission: the pauses between calls of the provider double', async () => {
    useMovedClock()
    const { iam, target } = setUp()
    const asked: number[] = []
    for (let second = 0; second <= 40; second++) {
      const before = iam.stats().credentialsResolved
      // One to be refused, and one to need credentials.
      for (let attempts = 0; attempts < 10; attempts++) await attempt(iam, target, denied())
      await iam.token(target)
      if (second > 0 && iam.stats().credentialsResolved > before) asked.push(second)
      vi.advanceTimersByTime(1_000)
    }
    expect(asked).toEqual([2, 6, 14, 24, 34])
  })

  test('a key rotated two seconds after a rejection for the rate: noticed at once', async () => {
    useMovedClock()
    let accessKeyId = 'AKIDOLD'
    const { iam, target } = setUp({ credentials: async () => ({ ...STATIC, accessKeyId }) })
    for (let times = 0; times < 5; times++) {
      await attempt(iam, target, denied())
      await attempt(iam, target)
      vi.advanceTimersByTime(2_000)
    }
    accessKeyId = 'AKIDNEW'
    await attempt(iam, target, denied())
    expect((await iam.token(target)).value).toContain('AKIDNEW')
  })

  test('another user is rejected all the time: a rotated key is still noticed', async () => {
    useMovedClock()
    let accessKeyId = 'AKIDOLD'
    const { iam, target } = setUp({ credentials: async () => ({ ...STATIC, accessKeyId }) })
    const nobody = { ...target, username: 'nobody' }
    await attempt(iam, target)
    for (let second = 0; second < 15; second++) {
      await attempt(iam, nobody, denied())
      await iam.token(nobody)
      vi.advanceTimersByTime(1_000)
    }
    accessKeyId = 'AKIDNEW'
    await attempt(iam, target, denied())
    expect((await iam.token(target)).value).toContain('AKIDNEW')
  })

  test('100 users that are rejected during a refresh: one refresh', async () => {
    const answer = new Deferred<typeof STATIC>()
    const { iam, target } = setUp({
      credentials: (options?: { forceRefresh?: boolean }) =>
        options?.forceRefresh ? answer.promise : Promise.resolve(STATIC),
    })
    const users = Array.from({ length: 100 }, (_, index) => ({ ...target, username: `user${index}` }))
    const logins = await Promise.all(users.map((user) => iam.login(user)))
    await Promise.all(logins.map((login) => login.token()))
    const next = logins.map((login) => {
      login.fail(denied())
      return iam.login(login.target)
    })
    await settle()
    answer.resolve(STATIC)
    await Promise.all(next)
    expect(iam.stats().credentialsResolved).toBe(2)
  })

  test('no rejection of a user for a while: the next pause is a short one', async () => {
    useMovedClock()
    const { iam, target } = setUp()
    const isAsked = async () => {
      const before = iam.stats().credentialsResolved
      await attempt(iam, target, denied())
      await iam.token(target)
      return iam.stats().credentialsResolved > before
    }
    for (let second = 0; second < 16; second++) {
      await isAsked()
      vi.advanceTimersByTime(1_000)
    }
    vi.advanceTimersByTime(60_000)
    // The rejection of another user removes the old pause.
    await attempt(iam, { ...target, username: 'other' }, denied())
    expect(await isAsked()).toBe(true)
    vi.advanceTimersByTime(2_000)
    expect(await isAsked()).toBe(true)
  })

  test('a rejected token that was replaced already: its successor stays', async () => {
    const { iam, target } = setUp()
    const [quick, slow, slower] = [await iam.login(target), await iam.login(target), await iam.login(target)]
    for (const login of [quick, slow, slower]) await login.token()
    quick.fail(denied())
    const successor = await iam.token(target)
    slow.fail(denied())
    expect(await iam.token(target)).toBe(successor)
    await attempt(iam, target)
    slower.fail(denied())
    expect(await iam.token(target)).toBe(successor)
  })

  test('a rejected token whose successor was signed meanwhile, with the same key: the successor is evicted too', async () => {
    const background = new Deferred<typeof STATIC>()
    const answers = [Promise.resolve(STATIC), background.promise]
    const rotated = Promise.resolve({ ...STATIC, accessKeyId: 'AKIDNEW' })
    const { iam, target, clock } = setUp({ credentials: () => answers.shift() ?? rotated })
    const { value } = await iam.token(target)
    clock.now += 14 * MINUTE
    const login = await iam.login(target)
    expect((await login.token()).value).toBe(value)
    background.resolve(STATIC)
    await settle()
    login.fail(denied())
    expect((await iam.token(target)).value).toContain('AKIDNEW')
  })

  test.each([
    ['with another key', { ...STATIC, accessKeyId: 'AKIDOTHER' }, false],
    ['and has been accepted', STATIC, true],
  ])(
    'a rejected token whose successor was signed meanwhile %s: the successor stays',
    async (_what, later, isAccepted) => {
      const answers = [STATIC, later]
      const { iam, target, clock } = setUp({ credentials: async () => answers.shift() ?? later })
      await iam.token(target)
      clock.now += 14 * MINUTE
      const login = await iam.login(target)
      await login.token()
      await settle()
      const successor = await iam.token(target)
      if (isAccepted) await attempt(iam, target)
      login.fail(denied())
      expect(await iam.token(target)).toBe(successor)
      await iam.token({ ...target, username: 'other' })
      // No refresh of the credentials was forced.
      expect(iam.stats()).toMatchObject({ tokensSigned: 3, credentialsResolved: 2 })
    },
  )

  test('a rejection during a refresh and a signing: their results are neither awaited nor used', async () => {
    const before = new Deferred<typeof STATIC>()
    const after = { ...STATIC, accessKeyId: 'AKIDNEW' }
    const answers = [Promise.resolve(STATIC), before.promise, Promise.resolve(after)]
    const { iam, target, clock } = setUp({ credentials: () => answers.shift() ?? Promise.resolve(after) })
    await iam.token(target)
    clock.now += 14 * MINUTE
    // The cached token is presented while its successor is being made, with credentials from before the refusal.
    await attempt(iam, target, denied())
    expect((await iam.token(target)).value).toContain('AKIDNEW')
    before.resolve(STATIC)
    await settle()
    expect((await iam.token(target)).value).toContain('AKIDNEW')
    expect((await iam.token({ ...target, username: 'other' })).value).toContain('AKIDNEW')
  })

  test('a late result of a tokenProvider: it does not replace a later token', async () => {
    const clock = new Clock()
    const token = (value: string) => new AuthToken(value, new Date(clock.now + 15 * MINUTE))
    const late = new Deferred<AuthToken>()
    const answers = [token('first'), late.promise]
    const { iam, target } = setUp({ tokenProvider: () => answers.shift() ?? token('second') }, clock)
    await iam.token(target)
    clock.now += 14 * MINUTE
    await attempt(iam, target, denied())
    expect((await iam.token(target)).value).toBe('second')
    late.resolve(token('late'))
    await settle()
    expect((await iam.token(target)).value).toBe('second')
  })
})

describe('a permit that has lapsed', () => {
  /** Creates a limiter whose permits lapse on command. */
  function lapsing() {
    const permits: Array<{ lapse(): void; endings: unknown[] }> = []
    const rateLimit = callersLimiter(async () => {
      let isLapsed = false
      const endings: unknown[] = []
      permits.push({ endings, lapse: () => (isLapsed = true) })
      return {
        id: `${permits.length}`,
        lane: 'live',
        waitedMs: 0,
        get isLapsed() {
          return isLapsed
        },
        release: (outcome) => endings.push(outcome),
        cancel: () => endings.push('cancel'),
      }
    })
    return { permits, rateLimit }
  }

  test('a lapsed permit: another one is acquired before the token is handed out', async () => {
    const { permits, rateLimit } = lapsing()
    const { iam, target } = setUp({ rateLimit })
    const login = await iam.login(target)
    permits[0]!.lapse()
    await login.token()
    login.succeed()
    expect(permits.map(({ endings }) => endings)).toEqual([['failed'], ['ok']])
  })

  test('a lapsed permit, and a token before the connect: it waits for another permit too', async () => {
    const { permits, rateLimit } = lapsing()
    const next = new Deferred<void>()
    const { iam, target } = setUp({
      rateLimit: callersLimiter(async (options) => {
        if (permits.length > 0) await next.promise
        return rateLimit.acquire(options)
      }),
    })
    const login = await iam.login(target)
    permits[0]!.lapse()
    const handedOut = vi.fn()
    const token = login.tokenBeforeConnect().then(handedOut)
    await settle()
    expect(handedOut).not.toHaveBeenCalled()
    next.resolve()
    await token
    expect(permits.map(({ endings }) => endings)).toEqual([['failed'], []])
  })

  test('an attempt that ends meanwhile: no token, and the other permit is released', async () => {
    const { permits, rateLimit } = lapsing()
    const { iam, target } = setUp({ rateLimit })
    const login = await iam.login(target)
    permits[0]!.lapse()
    const token = login.token()
    login.fail(new Error('The connection was lost.'))
    await expect(token).rejects.toThrow('closed while it waited')
    expect(permits[1]!.endings).toEqual(['cancel'])
  })
})

test('the writer and the reader endpoint of a cluster: one limit; another cluster: another limit', async () => {
  const { iam } = setUp({ rateLimit: 20 })
  const at = (host: string) =>
    iam.login(
      iam.resolve({ host: `${host}-abcdefghijkl.eu-west-1.rds.amazonaws.com`, port: 3306, user: 'app' }),
    )
  await at('shared.cluster')
  await at('shared.cluster-ro')
  await at('other.cluster')
  const granted = Object.values(iam.stats().rateLimits).map((stats) => stats.granted)
  expect(granted).toEqual([2, 2, 1])
})

describe('what is thrown is no error', () => {
  const thrown = ['a text', undefined, null, { code: 'E1' }]

  test.each(thrown)(
    '%j by `dial`: an error that names it, and one more failure in the statistics',
    async (value) => {
      const dial = () => {
        throw value
      }
      const { iam, login } = setUp({ dial })
      const error = await rejectionOf(login())
      expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'dial' })
      expect(error.cause).toBe(value)
      expect(error.message).not.toContain('a text')
      expect(iam.stats()).toMatchObject({ connectionsFailed: 1, lastError: { code: error.code } })
    },
  )

  test('an error of another realm by `dial`: passed on unchanged', async () => {
    const error = { name: 'Error', message: 'no tunnel' }
    const dial = () => {
      throw error
    }
    expect(
      await setUp({ dial })
        .login()
        .catch((reason) => reason),
    ).toBe(error)
  })

  test.each(thrown)('%j by a limiter of the caller: passed on, and counted', async (value) => {
    const { iam, login } = setUp({ rateLimit: callersLimiter(async () => Promise.reject(value)) })
    expect(await login().catch((reason) => reason)).toBe(value)
    expect(iam.stats()).toMatchObject({ connectionsFailed: 1 })
    expect(iam.stats().lastError?.message).toContain('not an Error')
  })
})
