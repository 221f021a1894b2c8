import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { limitLoginTime } from '../../src/login/login-time-limit.ts'
import { setUp } from '../set-up.ts'

beforeEach(() => {
  useMovedClock('setTimeout')
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets time pass. A limit looks at the sockets first, so it ends one turn of the event loop later. */
async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms)
  await new Promise(setImmediate)
}

/** Begins a login, and limits it to 10 seconds of the driver. */
async function limited({ timeoutMs = 10_000, resumeTimeoutMs = undefined as number | undefined } = {}) {
  const { iam, target } = setUp({ resumeTimeoutMs })
  const login = await iam.login(target)
  const errors: Error[] = []
  const limit = { timeoutMs, timeoutError: () => new Error('the time of the driver is over') }
  return { login, errors, stop: limitLoginTime(login, limit, (error) => errors.push(error)) }
}

test("no resumeTimeoutMs: the driver's limit runs from the opening of the socket", async () => {
  const { errors } = await limited()
  await pass(9_999)
  expect(errors).toEqual([])
  await pass(1)
  expect(errors).toMatchObject([{ message: 'the time of the driver is over' }])
})

test("resumeTimeoutMs, and a greeting in that time: the driver's limit begins with it", async () => {
  const { login, errors } = await limited({ resumeTimeoutMs: 60_000 })
  await pass(59_999)
  void login.confirmPermit()
  await pass(9_999)
  expect(errors).toEqual([])
  await pass(1)
  expect(errors).toMatchObject([{ message: 'the time of the driver is over' }])
})

test('resumeTimeoutMs, and no greeting in that time: the error names the pause', async () => {
  const { errors } = await limited({ resumeTimeoutMs: 60_000 })
  await pass(60_000)
  expect(errors).toMatchObject([{ code: 'ERR_AURORA_IAM_PAUSED' }])
})

test.each([undefined, 60_000])(
  'stopped, with resumeTimeoutMs %s: no timer, after a greeting either',
  async (resumeTimeoutMs) => {
    const { login, stop } = await limited({ resumeTimeoutMs })
    stop()
    void login.confirmPermit()
    expect(vi.getTimerCount()).toBe(0)
  },
)

test('resumeTimeoutMs, stopped after the greeting: no timer', async () => {
  const { login, stop } = await limited({ resumeTimeoutMs: 60_000 })
  void login.confirmPermit()
  expect(vi.getTimerCount()).toBe(1)
  stop()
  expect(vi.getTimerCount()).toBe(0)
})
