import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { recordEvents } from '@aurora-iam/test-support/record-events'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { AdapterIam, ConnectionTarget, LoginAttempt } from '../../src/adapter.ts'
import { setUp } from '../set-up.ts'

beforeEach(() => {
  useMovedClock()
  // Instants of the monotonic clock are not 0.
  vi.advanceTimersByTime(1_000)
})
afterEach(() => {
  vi.useRealTimers()
})

const ERROR = new Error('Unknown database')

const ENDINGS: ReadonlyArray<readonly [ending: string, end: (login: LoginAttempt) => void, stats: object]> = [
  ['fails', (login) => login.fail(ERROR), { failed: 1 }],
  ['is not kept', (login) => login.discard(ERROR), { succeeded: 1 }],
]

/** Logs in, and lets a quarter of a second pass. */
async function slowLogin(iam: AdapterIam, target: ConnectionTarget): Promise<LoginAttempt> {
  const login = await iam.login(target)
  vi.advanceTimersByTime(250)
  return login
}

test('a login that succeeds: one event, with its permit and the time from there', async () => {
  const events = recordEvents('aurora-iam:connect')
  const { iam, target } = setUp({ rateLimit: 20 })
  const login = await slowLogin(iam, target)
  login.succeed()
  login.succeed()
  const { hostname, port, username } = target
  expect(events).toEqual([{ hostname, port, username, permitId: login.permitId, durationMs: 250 }])
  expect(login.permitId).toBeDefined()
})

test.each(ENDINGS)(
  'a login that %s: one event of the step `login`, with the error itself',
  async (_ending, end, stats) => {
    const events = recordEvents<{ error: Error }>('aurora-iam:connect-failed')
    const { iam, target } = setUp({ rateLimit: 20 })
    const login = await slowLogin(iam, target)
    end(login)
    end(login)
    const { hostname, port, username } = target
    const { permitId } = login
    expect(events).toEqual([
      { hostname, port, username, permitId, stage: 'login', error: ERROR, durationMs: 250 },
    ])
    expect(events[0]?.error).toBe(ERROR)
    expect(Object.values(iam.stats().rateLimits)).toMatchObject([stats])
  },
)

test('a login without a token, without a permit, or that the adapter refuses: the event names the step', async () => {
  const events = recordEvents('aurora-iam:connect-failed')
  const noToken = setUp({
    credentials: async () => {
      throw ERROR
    },
  })
  await rejectionOf(noToken.login())
  const noPermit = setUp({ rateLimit: { limit: 1, intervalMs: 3_600_000 }, maxWaitMs: 0 })
  await noPermit.login()
  await rejectionOf(noPermit.login())
  noPermit.iam.reportRefusal(noPermit.target, ERROR)
  const common = { permitId: undefined, durationMs: 0 }
  expect(events).toMatchObject([
    { ...common, stage: 'token', error: { code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE' } },
    { ...common, stage: 'permit', error: { code: 'ERR_AURORA_IAM_RATE_LIMITED' } },
    { ...common, stage: 'login', error: ERROR },
  ])
  expect(noPermit.iam.stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 2 })
})

test('the steps of a login: each is shown once it is reached', async () => {
  const { iam, target } = setUp({ rateLimit: 20 })
  const login = await iam.login(target)
  const heard = vi.fn()
  login.onGreeting(heard)
  expect(login.dial()).toEqual({ host: target.hostname, port: 3306 })
  const steps = () => [login.isGreeted, login.isTokenSent, login.isOver]
  expect(steps()).toEqual([false, false, false])
  login.trackConnect()
  expect(login.confirmPermit()).toBeUndefined()
  expect(login.confirmPermit()).toBeUndefined()
  expect(heard).toHaveBeenCalledOnce()
  expect(steps()).toEqual([true, false, false])
  await login.token()
  expect(steps()).toEqual([true, true, false])
  login.succeed()
  expect(steps()).toEqual([true, true, true])
})

test('a login on an open connection: it dials nothing', async () => {
  const dial = vi.fn(() => ({ host: '127.0.0.1' }))
  for (const rateLimit of [20, false] as const) {
    const { iam, target } = setUp({ rateLimit, dial })
    const login = await iam.loginAgain(target)
    expect(login.address).toBeUndefined()
    expect(() => login.dial()).toThrow(TypeError)
    login.succeed()
  }
  expect(dial).not.toHaveBeenCalled()
})

test.each(['abandon', 'cancel'] as const)(
  '%s while the server has sent nothing: its address is not suspect',
  async (way) => {
    const { iam, target } = setUp({ rateLimit: 20 })
    const login = await iam.login(target)
    login.trackConnect()
    login[way]()
    expect(iam.tryLogin(target)).toBeDefined()
  },
)

test('an attempt that is abandoned: its permit goes back while the server has sent nothing, else it is released', async () => {
  const { iam, target } = setUp({ rateLimit: 20 })
  const unanswered = await iam.login(target)
  unanswered.trackConnect()
  unanswered.abandon()
  unanswered.abandon()
  const counts = () => Object.values(iam.stats().rateLimits)[0]
  expect(counts()).toMatchObject({ cancelled: 1, succeeded: 0 })
  const answered = iam.tryLogin(target)!
  answered.trackConnect()
  expect(answered.confirmPermit()).toBeUndefined()
  answered.abandon()
  expect(counts()).toMatchObject({ cancelled: 1, succeeded: 1 })
  expect(iam.stats()).toMatchObject({ connectionsOpened: 0, connectionsFailed: 0 })
})
