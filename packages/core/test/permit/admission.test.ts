import { type AcquireOptions, createRateLimiter } from '@aurora-iam/rate-limit'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AuroraIamOptions } from '../../src/index.ts'
import { setUp as iamSetUp } from '../set-up.ts'
import { callersLimiter, settle } from '../support.ts'

beforeEach(() => {
  useMovedClock('setTimeout')
})
afterEach(() => {
  vi.useRealTimers()
})

const REFUSED = Object.assign(new Error('connect ECONNREFUSED'), { errno: -111 })

/** Creates an AuroraIam with a limit of two in a second. */
function setUp(options: AuroraIamOptions = {}) {
  const set = iamSetUp({ rateLimit: { limit: 2, intervalMs: 1_000 }, ...options })
  const counts = () => Object.values(set.iam.stats().rateLimits)[0]
  /** Makes the address suspect: an attempt to it is refused. */
  const refuse = async () => {
    const login = await set.login()
    login.trackConnect()
    login.fail(REFUSED)
  }
  return { ...set, counts, refuse }
}

test('no limit: the address is asked for once, and no permit', async () => {
  const dial = vi.fn(() => ({ host: '10.0.0.1', port: 3307 }))
  const { login } = setUp({ rateLimit: false, dial })
  const attempt = await login()
  expect([attempt.dial(), attempt.permitId]).toEqual([{ host: '10.0.0.1', port: 3307 }, undefined])
  expect(dial).toHaveBeenCalledOnce()
})

test('a `dial` function: asked once for each login, after its permit, for the target of the login', async () => {
  const granted: unknown[] = []
  const dial = vi.fn(() => {
    granted.push(counts()?.granted)
    return { host: '10.0.0.1', port: 3307 }
  })
  const { login, counts, target } = setUp({ dial })
  for (let logins = 0; logins < 2; logins++) expect((await login()).dial().host).toBe('10.0.0.1')
  expect(granted).toEqual([1, 2])
  const { hostname, port, username } = target
  expect(dial).toHaveBeenLastCalledWith({ hostname, port, username })
})

test('a `dial` function that throws: its error, and the permit goes back', async () => {
  const error = new Error('no such service')
  const { login, counts } = setUp({
    dial: () => {
      throw error
    },
  })
  expect(await rejectionOf(login())).toBe(error)
  expect(counts()).toMatchObject({ granted: 1, cancelled: 1, inFlight: 0 })
})

test('a login on an open connection: a permit, and no address, also where the address is suspect', async () => {
  const { iam, target, refuse } = setUp()
  await refuse()
  const attempt = await iam.loginAgain(target)
  expect([attempt.address, typeof attempt.permitId]).toEqual([undefined, 'string'])
})

describe('an address that does not answer', () => {
  test.each([
    ['fixed', {}, 0],
    ['that a function decides', { dial: () => ({ host: '10.0.0.1' }) }, 1],
  ])(
    '%s: an attempt opens its socket without a permit, as many at once as the limit',
    async (_what, options, returned) => {
      const { login, refuse, counts } = setUp(options)
      await refuse()
      vi.advanceTimersByTime(1_000)
      const before = counts()!.cancelled
      const attempts = [await login(), await login()]
      expect(attempts.map(({ permitId }) => permitId)).toEqual([undefined, undefined])
      expect(counts()!.cancelled - before).toBe(2 * returned)
      const third = vi.fn()
      const waiting = login().then(third)
      await settle()
      expect(third).not.toHaveBeenCalled()
      attempts[0]!.cancel()
      await waiting
      expect(third).toHaveBeenCalledOnce()
    },
  )

  test('that answers an attempt: it asks for its permit in the lane and the group of that attempt', async () => {
    const limiter = createRateLimiter({ limit: 20 })
    const acquire = vi.fn((options: AcquireOptions) => limiter.acquire(options))
    const { iam, target, refuse } = setUp({ rateLimit: callersLimiter(acquire) })
    await refuse()
    vi.advanceTimersByTime(1_000)
    const group = {}
    const attempt = await iam.login(target, { lane: 'background', group })
    attempt.trackConnect()
    await attempt.confirmPermit()
    expect(acquire.mock.calls.map(([options]) => options.lane)).toEqual(['live', 'background'])
    expect(acquire.mock.lastCall?.[0].group).toBe(group)
  })

  test('that answers another attempt meanwhile: the attempt that waits gets a permit', async () => {
    const { login, refuse } = setUp()
    await refuse()
    vi.advanceTimersByTime(1_000)
    const [one] = [await login(), await login()]
    const waiting = login()
    await settle()
    one!.trackConnect()
    void one!.confirmPermit()
    expect((await waiting).permitId).toBeDefined()
  })

  test('no room in time: RATE_LIMITED, with the address', async () => {
    const { login, refuse, target } = setUp({ maxWaitMs: 500 })
    await refuse()
    vi.advanceTimersByTime(1_000)
    await login()
    await login()
    const third = rejectionOf(login())
    await vi.advanceTimersByTimeAsync(500)
    expect(await third).toMatchObject({
      code: 'ERR_AURORA_IAM_RATE_LIMITED',
      option: 'maxWaitMs',
      message: expect.stringContaining(`No new connection to ${target.hostname}:3306 within 500 ms`),
    })
  })

  test.each([
    ["the caller's signal", 'ERR_AURORA_IAM_ABORTED'],
    ['close()', 'ERR_AURORA_IAM_CLOSED'],
  ])('%s: it ends each wait for room, with a separate error', async (way, code) => {
    const { iam, login, refuse } = setUp()
    await refuse()
    vi.advanceTimersByTime(1_000)
    await login()
    await login()
    const controller = new AbortController()
    const waiting = [rejectionOf(login(controller.signal)), rejectionOf(login(controller.signal))]
    await settle()
    if (way === 'close()') iam.close()
    else controller.abort()
    const [third, fourth] = await Promise.all(waiting)
    expect([third, fourth]).toMatchObject([{ code }, { code }])
    expect(third).not.toBe(fourth)
  })

  test('that answers: the attempt acquires a permit before it answers', async () => {
    const { login, refuse, counts } = setUp()
    await refuse()
    vi.advanceTimersByTime(1_000)
    const attempt = await login()
    attempt.trackConnect()
    await attempt.confirmPermit()
    expect(attempt.permitId).toBeDefined()
    attempt.succeed()
    expect(counts()).toMatchObject({ succeeded: 1, inFlight: 0 })
  })
})
