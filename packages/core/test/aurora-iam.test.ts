import { createRateLimiter, RateLimitError } from '@aurora-iam/rate-limit'
import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, test } from 'vitest'
import type { AdapterIam } from '../src/adapter.ts'
import { AuroraIamError } from '../src/index.ts'
import { setUp } from './set-up.ts'
import { Clock, Deferred, iamOn, MINUTE, START, settle, warningsOf } from './support.ts'

describe('login', () => {
  test('no credentials: no permit is taken, because the token comes first', async () => {
    const credentials = async () => {
      throw new Error('down')
    }
    const { iam, login } = setUp({ credentials, rateLimit: 1 })
    await Promise.all(Array.from({ length: 5 }, () => rejectionOf(login())))
    expect(iam.stats().rateLimits).toEqual({})
    expect(iam.stats()).toMatchObject({ connectionsFailed: 5, connectionsOpened: 0 })
  })

  test('several logins that wait: permits are granted in the order of their requests', async () => {
    const { login } = setUp({ rateLimit: { limit: 1, intervalMs: 5 } })
    const order: number[] = []
    await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const it = await login()
        order.push(index)
        it.succeed()
      }),
    )
    expect(order).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('no permit in time: RATE_LIMITED with the reason and the time to retry after', async () => {
    const { login } = setUp({ rateLimit: 1, maxWaitMs: 0 })
    await login()
    const error = await rejectionOf(login())
    expect(error).toMatchObject({
      code: 'ERR_AURORA_IAM_RATE_LIMITED',
      retryable: true,
      option: 'maxWaitMs',
      retryAfterMs: expect.any(Number),
    })
    expect(error.cause).toBeInstanceOf(RateLimitError)
    expect(error.message).toMatch(
      /Open fewer connections at once or wait longer \(`maxWaitMs`.*`rateLimit` sets the limit\./,
    )
  })

  test('a cancelled permit: it goes to the next in the queue', async () => {
    const { login } = setUp({ rateLimit: { limit: 1, intervalMs: 3_600_000 } })
    const first = await login()
    const second = login()
    first.cancel()
    await (await second).succeed()
  })

  test('one failure for several callers: a new error object for each, with one cause', async () => {
    const cause = new Error('down')
    const answer = new Deferred<typeof STATIC>()
    const { login } = setUp({ credentials: () => answer.promise })
    const errors = Array.from({ length: 5 }, () => rejectionOf(login()))
    answer.reject(cause)
    const all = await Promise.all(errors)
    expect(new Set(all).size).toBe(5)
    for (const error of all) {
      expect(error).toBeInstanceOf(AuroraIamError)
      expect(error.cause).toBe(cause)
    }
  })

  test('a token that has to be signed again after the permit: a new error object for each, too', async () => {
    let answer: Promise<typeof STATIC> = Promise.resolve(STATIC)
    const { login, clock } = setUp({ credentials: () => answer })
    const logins = await Promise.all(Array.from({ length: 5 }, () => login()))
    clock.now += 20 * MINUTE
    const cause = new Error('down')
    answer = Promise.reject(cause)
    const errors = await Promise.all(logins.map((one) => rejectionOf(one.token())))
    expect(new Set(errors).size).toBe(5)
    for (const error of errors) expect(error.cause).toBe(cause)
  })

  test('aborted while it waits for its permit: ABORTED, and no other request is disturbed', async () => {
    const { login } = setUp({ rateLimit: { limit: 1, intervalMs: 3_600_000 } })
    const first = await login()
    const controller = new AbortController()
    const second = rejectionOf(login(controller.signal))
    const third = login()
    await settle()
    controller.abort()
    expect(await second).toMatchObject({
      code: 'ERR_AURORA_IAM_ABORTED',
      message: 'The wait for a new connection was cancelled.',
    })
    first.cancel()
    expect((await third).target.username).toBe('app')
  })

  test('aborted while it waits for its token: ABORTED at once, and other callers get theirs', async () => {
    const answer = new Deferred<typeof STATIC>()
    const { login } = setUp({ credentials: () => answer.promise })
    const controller = new AbortController()
    const first = rejectionOf(login(controller.signal))
    const second = login()
    const reason = new Error('the client went away')
    controller.abort(reason)
    expect(await first).toMatchObject({
      code: 'ERR_AURORA_IAM_ABORTED',
      message: 'The wait for a new connection was cancelled.',
      cause: reason,
    })
    answer.resolve(STATIC)
    expect((await second).target.username).toBe('app')
  })

  test.each([[20], [false]] as const)('aborted before, at a rateLimit of %s: ABORTED', async (rateLimit) => {
    const { iam, login } = setUp({ rateLimit })
    expect(await rejectionOf(login(AbortSignal.abort()))).toMatchObject({ code: 'ERR_AURORA_IAM_ABORTED' })
    expect(iam.stats().tokensSigned).toBe(0)
  })

  test('aborted before, with a token in the cache: ABORTED', async () => {
    const { iam, login, target } = setUp()
    await iam.token(target)
    expect(await rejectionOf(login(AbortSignal.abort()))).toMatchObject({ code: 'ERR_AURORA_IAM_ABORTED' })
  })

  test('100 that one signal aborts together: no warning', async () => {
    const { login } = setUp({ rateLimit: { limit: 1, intervalMs: 3_600_000 } })
    await login()
    const controller = new AbortController()
    const warnings = await warningsOf(async () => {
      const waiting = Array.from({ length: 100 }, () => rejectionOf(login(controller.signal)))
      await settle()
      controller.abort()
      for (const error of await Promise.all(waiting)) expect(error.code).toBe('ERR_AURORA_IAM_ABORTED')
    })
    expect(warnings).toEqual([])
  })

  test('a limiter of the caller: used, and left open', async () => {
    const rateLimit = createRateLimiter({ limit: 3 })
    const { iam, login, target } = setUp({ rateLimit })
    ;(await login()).succeed()
    expect(rateLimit.stats().succeeded).toBe(1)
    expect(iam.stats().rateLimits[`${target.hostname}:3306`]).toEqual(rateLimit.stats())
    iam.close()
    await rateLimit.acquire()
  })

  test('rateLimit: false: no wait', async () => {
    const { iam, login } = setUp()
    await Promise.all(Array.from({ length: 500 }, login.bind(undefined, undefined)))
    expect(iam.stats().rateLimits).toEqual({})
  })

  test('a limit that another user of the endpoint contradicts: CONFLICTING_OPTIONS, not retryable', async () => {
    const { iam, target, login } = setUp({ rateLimit: { limit: 1, intervalMs: 1_000 } })
    await login()
    const other = iamOn(new Clock(), { rateLimit: { limit: 1, intervalMs: 2_000 } })
    expect(await rejectionOf(other.login(target))).toMatchObject({
      code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      option: 'rateLimit',
      retryable: false,
    })
    iam.close()
  })
})

describe('close', () => {
  test('waits for a permit: ended by close(), and later calls are refused', async () => {
    const { iam, login, target } = setUp({ rateLimit: { limit: 1, intervalMs: 3_600_000 } })
    await login()
    const waiters = [rejectionOf(login()), rejectionOf(login())]
    await settle()
    iam.close()
    iam.close()
    const { hostname, port, username } = target
    const late = [rejectionOf(login()), rejectionOf(iam.token({ hostname, port, username }))]
    for (const error of await Promise.all([...waiters, ...late])) {
      expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED', retryable: false })
    }
  })

  test('waits at a limiter of the caller: ended by close(), and the limiter goes on for others', async () => {
    const rateLimit = createRateLimiter({ limit: 1, intervalMs: 3_600_000 })
    const taken = await rateLimit.acquire()
    const { iam, login } = setUp({ rateLimit })
    const waiter = rejectionOf(login())
    const other = rateLimit.acquire()
    await settle()
    iam.close()
    expect(await waiter).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
    expect(rateLimit.stats().waiting).toBe(1)
    taken.cancel()
    await other
  })

  test('waits for a credential provider that hangs: ended by close()', async () => {
    const { iam, login } = setUp({
      credentials: () => new Promise(() => {}),
      credentialsTimeoutMs: 3_600_000,
    })
    const waiter = rejectionOf(login())
    await settle()
    iam.close()
    expect(await waiter).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
  })

  test('close() at any moment: no token is awaited any more, and the provider is not called any more', async () => {
    // Each await is one step on the way to the token. Credentials in their last minutes are asked for twice.
    const expiration = new Date(START + 10 * MINUTE)
    const askedAfterwards: number[] = []
    for (let steps = 0; steps < 12; steps++) {
      let isClosed = false
      const { iam, target } = setUp({
        credentials: async (options?: { forceRefresh?: boolean }) => {
          if (isClosed) askedAfterwards.push(steps)
          if (options?.forceRefresh) return new Promise<never>(() => {})
          return { ...STATIC, expiration }
        },
      })
      const { hostname, port, username } = target
      const waiter = rejectionOf(iam.token({ hostname, port, username }))
      for (let step = 0; step < steps; step++) await null
      iam.close()
      isClosed = true
      expect(await waiter).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
    }
    await settle()
    expect(askedAfterwards).toEqual([])
  })

  test('a wait that its caller aborts in the same turn: ABORTED if that came first, else CLOSED', async () => {
    const codeOf = async (end: (iam: AdapterIam, controller: AbortController) => void) => {
      const { iam, login } = setUp({ credentials: () => new Promise(() => {}) })
      const controller = new AbortController()
      const waiter = rejectionOf(login(controller.signal))
      await settle()
      end(iam, controller)
      return (await waiter).code
    }
    const abortFirst = await codeOf((iam, controller) => {
      controller.abort()
      iam.close()
    })
    const closeFirst = await codeOf((iam, controller) => {
      iam.close()
      controller.abort()
    })
    expect([abortFirst, closeFirst]).toEqual(['ERR_AURORA_IAM_ABORTED', 'ERR_AURORA_IAM_CLOSED'])
  })

  test('waits of another AuroraIam for the same endpoint: they go on', async () => {
    const rateLimit = { limit: 1, intervalMs: 5 }
    const { iam, login, target } = setUp({ rateLimit })
    const other = iamOn(new Clock(), { rateLimit })
    const first = await login()
    const second = other.login(target)
    iam.close()
    first.succeed()
    ;(await second).succeed()
  })
})
