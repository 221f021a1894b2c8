import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { AdapterIam, ConnectionTarget } from '../../src/adapter.ts'
import { AuroraIamError } from '../../src/index.ts'
import { type GreetingWait, ResumeGate } from '../../src/lifetime/resume-gate.ts'
import { setUp } from '../set-up.ts'

const closing = new AbortController()
const entry = (more: object = {}) => ({
  key: 'db:3306 live',
  endpoint: 'db:3306',
  signals: [closing.signal],
  callerLimit: undefined,
  ...more,
})

beforeEach(() => {
  useMovedClock('setTimeout')
  vi.advanceTimersByTime(5_000)
})

afterEach(() => vi.useRealTimers())

/** Lets `count` logins enter, and returns the numbers of those that went ahead, in their order. */
function enterAll(gate: ResumeGate, count: number) {
  const ahead: Array<{ readonly number: number; readonly login: GreetingWait }> = []
  const entering = Array.from({ length: count }, async (_, number) => {
    ahead.push({ number, login: await gate.enter(entry()) })
  })
  return { ahead, entering, numbers: () => ahead.map(({ number }) => number) }
}

/** Returns the error of a connection that the server closed before its greeting. */
function closedEarly(): Error {
  return Object.assign(new Error('reset'), { syscall: 'read' })
}

/** Returns a function that logs in, and fails by `error`. */
function failingWith(error: Error, iam: AdapterIam, target: ConnectionTarget) {
  return vi.fn(async () => {
    const login = await iam.login(target)
    login.trackConnect()
    login.fail(error)
    throw error
  })
}

test('many logins: one goes ahead, and the others follow its greeting in order', async () => {
  const { ahead, numbers } = enterAll(new ResumeGate(60_000), 5)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(numbers()).toEqual([0])
  ahead[0]!.login.greeted()
  await vi.advanceTimersByTimeAsync(0)
  expect(numbers()).toEqual([0, 1, 2, 3, 4])
})

test('the scout fails: the next one goes ahead, and has what is left of its time', async () => {
  const { ahead, numbers } = enterAll(new ResumeGate(60_000), 3)
  await vi.advanceTimersByTimeAsync(20_000)
  ahead[0]!.login.ended()
  await vi.advanceTimersByTimeAsync(0)
  expect(numbers()).toEqual([0, 1])
  expect(ahead.map(({ login }) => login.timeoutMs)).toEqual([60_000, 40_000])
})

test('no greeting in time: each login that waits gets a separate error that names the pause', async () => {
  const { ahead, entering } = enterAll(new ResumeGate(60_000), 3)
  await vi.advanceTimersByTimeAsync(0)
  ahead[0]!.login.connecting()
  const errors = Promise.all(entering.slice(1).map(rejectionOf))
  await vi.advanceTimersByTimeAsync(60_000)
  const [one, other] = await errors
  expect(one).not.toBe(other)
  for (const error of [one, other, ahead[0]!.login.timeoutError()]) {
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_PAUSED', retryable: true, option: 'resumeTimeoutMs' })
    expect((error as Error).message).toContain(
      'db:3306 within 60000 ms (resumeTimeoutMs): the database is paused',
    )
  }
})

test('the limit of the caller is shorter: the error comes first, and names that option', async () => {
  const gate = new ResumeGate(60_000)
  const callerLimit = { option: 'acquireConnectionTimeout', timeoutMs: 10_000 }
  const { timeoutMs, timeoutError, ended } = await gate.enter(entry({ callerLimit }))
  expect(timeoutMs).toBe(9_000)
  ended()
  // The limit of the gate comes first, or with it.
  const long = await gate.enter(entry({ callerLimit: { ...callerLimit, timeoutMs: 61_000 } }))
  expect(long.timeoutMs).toBe(60_000)
  expect(long.timeoutError()).toMatchObject({ option: 'resumeTimeoutMs' })
  long.ended()
  // A second before a limit of less than two is too long.
  const short = await gate.enter(entry({ callerLimit: { ...callerLimit, timeoutMs: 1_500 } }))
  expect(short.timeoutMs).toBe(750)
  expect(timeoutError()).toMatchObject({
    option: 'acquireConnectionTimeout',
    message: expect.stringContaining('Raise `acquireConnectionTimeout` above `resumeTimeoutMs` (60000 ms)'),
  })
})

test('a scout that opens its socket after its end: the next one does not wait for it', async () => {
  const gate = new ResumeGate(60_000)
  const scout = await gate.enter(entry())
  scout.ended()
  scout.connecting()
  expect((await gate.enter(entry())).timeoutMs).toBe(60_000)
})

test('the scout still waits for a permit when the time is over: the others wait for theirs', async () => {
  const { numbers } = enterAll(new ResumeGate(60_000), 3)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(numbers()).toEqual([0, 1, 2])
})

test('a login that waits is aborted: it rejects with the reason, and the others keep their places', async () => {
  const gate = new ResumeGate(60_000)
  const scout = await gate.enter(entry())
  const abort = new AbortController()
  const aborted = gate.enter(entry({ signals: [abort.signal] }))
  const { numbers } = enterAll(gate, 2)
  abort.abort(new Error('enough'))
  await expect(aborted).rejects.toThrow('enough')
  scout.greeted()
  await vi.advanceTimersByTimeAsync(0)
  expect(numbers()).toEqual([0, 1])
})

test('the server greeted a login within the last second: no login waits', async () => {
  const gate = new ResumeGate(60_000)
  const first = await gate.enter(entry())
  first.greeted()
  first.ended()
  const { numbers } = enterAll(gate, 3)
  await vi.advanceTimersByTimeAsync(0)
  expect(numbers()).toEqual([0, 1, 2])
  await vi.advanceTimersByTimeAsync(1_000)
  const later = enterAll(gate, 2)
  await vi.advanceTimersByTimeAsync(0)
  expect(later.numbers()).toEqual([])
})

test('resumeTimeoutMs left out: no login waits for another', async () => {
  const { iam, target } = setUp()
  const logins = await Promise.all([iam.login(target), iam.login(target)])
  expect(logins.map(({ greetingWait }) => greetingWait)).toEqual([undefined, undefined])
})

test('a scout of the background lane: a request does not wait for it', async () => {
  const { iam, target } = setUp({ resumeTimeoutMs: 60_000 })
  await iam.login(target, { lane: 'background' })
  const login = await iam.login(target)
  expect(login.greetingWait?.timeoutMs).toBe(60_000)
})

test('a paused server: the limiter counts one permit, which was cancelled, and no throttling', async () => {
  const { iam, target } = setUp({ resumeTimeoutMs: 60_000, rateLimit: 20 })
  const scout = await iam.login(target)
  scout.trackConnect()
  const others = Array.from({ length: 4 }, () => iam.login(target))
  await vi.advanceTimersByTimeAsync(20_000)
  const [limits] = Object.values(iam.stats().rateLimits)
  expect(limits).toMatchObject({ granted: 1, cancelled: 1, throttled: 0, waiting: 0, limit: 20 })
  const permit = scout.confirmPermit()
  await permit
  await Promise.all(others)
  expect(Object.values(iam.stats().rateLimits)[0]).toMatchObject({ granted: 6, throttled: 0, limit: 20 })
})

test('the scout times out: no throttling', async () => {
  const { iam, target } = setUp({ resumeTimeoutMs: 60_000, rateLimit: 20 })
  const scout = await iam.login(target)
  scout.trackConnect()
  await vi.advanceTimersByTimeAsync(60_000)
  scout.fail(scout.greetingWait!.timeoutError())
  expect(Object.values(iam.stats().rateLimits)[0]).toMatchObject({ throttled: 0, failed: 0, limit: 20 })
  expect(iam.stats().lastError?.code).toBe('ERR_AURORA_IAM_PAUSED')
})

test.each([
  ['closed before its greeting', closedEarly(), 4],
  ['refused by TCP', Object.assign(new Error('refused'), { syscall: 'connect' }), 1],
])('a login is %s: calls of open', async (_what, error, calls) => {
  const { iam, target } = setUp({ resumeTimeoutMs: 60_000, rateLimit: 20 })
  const open = failingWith(error, iam, target)
  const result = rejectionOf(iam.retryRejected(open))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await result).toBe(error)
  expect(open).toHaveBeenCalledTimes(calls)
})

test.each([
  ['the server had greeted it', closedEarly(), true],
  ['its time was over here', new AuroraIamError('ERR_AURORA_IAM_PAUSED', 'No greeting.'), false],
])('a login fails, and %s: no retry', async (_what, error, isGreeted) => {
  const { iam, target } = setUp({ resumeTimeoutMs: 60_000 })
  const open = vi.fn(async () => {
    const login = await iam.login(target)
    login.trackConnect()
    if (isGreeted) void login.confirmPermit()
    login.fail(error)
    throw error
  })
  expect(await rejectionOf(iam.retryRejected(open))).toBe(error)
  expect(open).toHaveBeenCalledOnce()
})

test('closed during the pause before a retry: the pause ends at once', async () => {
  const { iam, target } = setUp({ resumeTimeoutMs: 60_000 })
  const result = rejectionOf(iam.retryRejected(failingWith(closedEarly(), iam, target)))
  await vi.advanceTimersByTimeAsync(700)
  expect(vi.getTimerCount()).toBe(1)
  iam.close()
  expect(vi.getTimerCount()).toBe(0)
  expect(await result).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
})

test('closed: each login that waits rejects', async () => {
  const { iam, target } = setUp({ resumeTimeoutMs: 60_000 })
  const scout = await iam.login(target)
  const waiting = rejectionOf(iam.login(target))
  iam.close()
  expect(await waiting).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
  scout.cancel()
})

test('close() while several logins wait for the scout: each has a separate error', async () => {
  const { iam, target } = setUp({ resumeTimeoutMs: 60_000 })
  const scout = await iam.login(target)
  const waits = [1, 2].map(() => rejectionOf(iam.login(target)))
  await vi.advanceTimersByTimeAsync(100)
  iam.close()
  const [one, other] = await Promise.all(waits)
  for (const error of [one, other]) expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
  expect(one).not.toBe(other)
  scout.cancel()
})
