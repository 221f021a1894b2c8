import { createRateLimiter, RateLimitError } from '@aurora-iam/rate-limit'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type AuroraIam, AuroraIamError, type AuroraIamOptions, type Login } from '../src/index.ts'
import { Clock, Deferred, iamOn, rejection, STATIC, settle } from './support.ts'

let endpoints = 0

/** An AuroraIam and a target on an endpoint of their own: limiters are shared by endpoint. */
function setUp(options: AuroraIamOptions = {}, clock = new Clock()) {
  const iam = iamOn(clock, options)
  const host = `db${endpoints++}.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com`
  const target = iam.resolve({ host, port: 3306, user: 'app' })
  return { iam, target, clock, login: (signal?: AbortSignal) => iam.login(target, signal) }
}

const denied = () =>
  Object.assign(new Error('Access denied'), { errno: 1045, code: 'ER_ACCESS_DENIED_ERROR' })

async function attempt(
  iam: AuroraIam,
  target: Parameters<AuroraIam['login']>[0],
  outcome?: Error,
): Promise<Login> {
  const login = await iam.login(target)
  await login.token()
  if (outcome) login.failed(outcome)
  else login.accepted()
  return login
}

afterEach(() => {
  vi.useRealTimers()
})

describe('login', () => {
  test('the token comes before the place: without credentials no place is taken', async () => {
    const credentials = async () => {
      throw new Error('down')
    }
    const { iam, login } = setUp({ credentials, rateLimit: 1 })
    await Promise.all(Array.from({ length: 5 }, () => rejection(login())))
    expect(iam.stats().rateLimits).toEqual({})
    expect(iam.stats()).toMatchObject({ connectionsFailed: 5, connectionsOpened: 0 })
  })

  test('places go to those who came first', async () => {
    const { login } = setUp({ rateLimit: { limit: 1, intervalMs: 5 } })
    const order: number[] = []
    await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const it = await login()
        order.push(index)
        it.accepted()
      }),
    )
    expect(order).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('no place in time: RATE_LIMITED with the reason and when to come back', async () => {
    const { login } = setUp({ rateLimit: 1, maxWaitMs: 0 })
    await login()
    const error = await rejection(login())
    expect(error).toMatchObject({
      code: 'ERR_AURORA_IAM_RATE_LIMITED',
      retryable: true,
      option: 'maxWaitMs',
      retryAfterMs: expect.any(Number),
    })
    expect(error.cause).toBeInstanceOf(RateLimitError)
    expect(error.message).toMatch(/Open fewer connections, or raise `maxWaitMs` or `rateLimit`/)
  })

  test('a place that was cancelled goes to the next in line', async () => {
    const { login } = setUp({ rateLimit: { limit: 1, intervalMs: 3_600_000 } })
    const first = await login()
    const second = login()
    first.cancel()
    await (await second).accepted()
  })

  test('one failure, a new error object for each who waited, and one cause', async () => {
    const cause = new Error('down')
    const answer = new Deferred<typeof STATIC>()
    const { login } = setUp({ credentials: () => answer.promise })
    const errors = Array.from({ length: 5 }, () => rejection(login()))
    answer.reject(cause)
    const all = await Promise.all(errors)
    expect(new Set(all).size).toBe(5)
    for (const error of all) {
      expect(error).toBeInstanceOf(AuroraIamError)
      expect(error.cause).toBe(cause)
    }
  })

  test('called off while it waits for its place: CLOSED, and nobody else is disturbed', async () => {
    const { login } = setUp({ rateLimit: { limit: 1, intervalMs: 3_600_000 } })
    const first = await login()
    const controller = new AbortController()
    const second = rejection(login(controller.signal))
    const third = login()
    await settle()
    controller.abort()
    expect(await second).toMatchObject({
      code: 'ERR_AURORA_IAM_CLOSED',
      message: 'The wait for a new connection was called off.',
    })
    first.cancel()
    expect((await third).target.username).toBe('app')
  })

  test("a limiter of the caller's own is used, and left open", async () => {
    const rateLimit = createRateLimiter({ limit: 3 })
    const { iam, login, target } = setUp({ rateLimit })
    ;(await login()).accepted()
    expect(rateLimit.stats().settledOk).toBe(1)
    expect(iam.stats().rateLimits[`${target.hostname}:3306`]).toEqual(rateLimit.stats())
    iam.close()
    await rateLimit.acquire()
  })

  test('rateLimit: false waits for nothing', async () => {
    const { iam, login } = setUp()
    await Promise.all(Array.from({ length: 500 }, login.bind(undefined, undefined)))
    expect(iam.stats().rateLimits).toEqual({})
  })

  test('a limit that others of the same endpoint contradict is a configuration to mend, not to wait for', async () => {
    const { iam, target, login } = setUp({ rateLimit: { limit: 1, intervalMs: 1_000 } })
    await login()
    const other = iamOn(new Clock(), { rateLimit: { limit: 1, intervalMs: 2_000 } })
    expect(await rejection(other.login(target))).toMatchObject({
      code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      option: 'rateLimit',
      retryable: false,
    })
    iam.close()
  })
})

describe('outcome', () => {
  const outcomes = (iam: AuroraIam) => {
    const [stats] = Object.values(iam.stats().rateLimits)
    return {
      ok: stats!.settledOk,
      failed: stats!.failed,
      throttled: stats!.throttled,
      cancelled: stats!.cancelled,
    }
  }
  const none = { ok: 0, failed: 0, throttled: 0, cancelled: 0 }

  test('accepted', async () => {
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
  ] as const)('%s', async (_title, outcome, error) => {
    const { iam, target } = setUp({ rateLimit: 20 })
    await attempt(iam, target, error)
    expect(outcomes(iam)).toEqual({ ...none, [outcome]: 1 })
    const { code, message } = error as Error & { code: string }
    expect(iam.stats()).toMatchObject({
      connectionsFailed: 1,
      lastError: { code, message, at: expect.any(Date) },
    })
  })

  test('1045 to a token that was accepted a moment ago is throttling', async () => {
    const { iam, target } = setUp({ rateLimit: 20 })
    await attempt(iam, target)
    await attempt(iam, target, denied())
    expect(outcomes(iam)).toEqual({ ...none, ok: 1, throttled: 1 })
  })

  test('a network that fails before the token went out is not throttling', async () => {
    const { iam, login } = setUp({ rateLimit: 20 })
    ;(await login()).failed(Object.assign(new Error('refused'), { errno: -111, code: 'ECONNREFUSED' }))
    expect(outcomes(iam)).toEqual({ ...none, failed: 1 })
  })

  test('only the first word counts, and listeners hear of the end once', async () => {
    const { iam, login } = setUp({ rateLimit: 20 })
    const it = await login()
    const heard = vi.fn()
    it.onceOver(heard)
    it.cancel()
    it.accepted()
    it.failed(denied())
    it.settled()
    expect(heard).toHaveBeenCalledOnce()
    expect(outcomes(iam)).toEqual({ ...none, cancelled: 1 })
    expect(iam.stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 0 })
  })
})

describe('a refused token', () => {
  test('is dropped, and the credentials are asked for anew, by force', async () => {
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

  test('many at once: one drop, one question', async () => {
    const { iam, target } = setUp()
    const logins = await Promise.all(Array.from({ length: 20 }, () => iam.login(target)))
    await Promise.all(logins.map((login) => login.token()))
    for (const login of logins) login.failed(denied())
    await iam.login(target)
    expect(iam.stats()).toMatchObject({ tokensSigned: 2, credentialsResolved: 2, connectionsFailed: 20 })
  })

  test('a user without the permission makes the source be asked at most once in five seconds', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const { iam, target } = setUp()
    for (let attempts = 0; attempts < 20; attempts++) await attempt(iam, target, denied())
    expect(iam.stats()).toMatchObject({ tokensSigned: 20, credentialsResolved: 2 })
    vi.advanceTimersByTime(5_000)
    await attempt(iam, target, denied())
    await attempt(iam, target)
    expect(iam.stats().credentialsResolved).toBe(3)
  })

  test('one that was replaced already does not take its successor with it', async () => {
    const { iam, target } = setUp()
    const [slow, quick] = await Promise.all([iam.login(target), iam.login(target)])
    await Promise.all([slow.token(), quick.token()])
    quick.failed(denied())
    await attempt(iam, target)
    slow.failed(denied())
    await attempt(iam, target)
    expect(iam.stats().tokensSigned).toBe(2)
  })
})

describe('close', () => {
  test('ends those who wait for a place, and refuses whatever comes after', async () => {
    const { iam, login, target } = setUp({ rateLimit: { limit: 1, intervalMs: 3_600_000 } })
    await login()
    const waiters = [rejection(login()), rejection(login())]
    await settle()
    iam.close()
    iam.close()
    const { hostname, port, username } = target
    const late = [rejection(login()), rejection(iam.token({ hostname, port, username }))]
    for (const error of await Promise.all([...waiters, ...late])) {
      expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED', retryable: false })
    }
  })

  test('ends those who wait for a hanging source', async () => {
    const { iam, login } = setUp({
      credentials: () => new Promise(() => {}),
      credentialsTimeoutMs: 3_600_000,
    })
    const waiter = rejection(login())
    await settle()
    iam.close()
    expect(await waiter).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
  })

  test('what others of the same endpoint wait for goes on', async () => {
    const rateLimit = { limit: 1, intervalMs: 5 }
    const { iam, login, target } = setUp({ rateLimit })
    const other = iamOn(new Clock(), { rateLimit })
    const first = await login()
    const second = other.login(target)
    iam.close()
    first.accepted()
    ;(await second).accepted()
  })
})
