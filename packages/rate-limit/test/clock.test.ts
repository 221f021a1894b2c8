import { afterEach, expect, test, vi } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { monotonicMs } from '../src/monotonic-ms.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Sets a timer of the process's clock, and returns it and a function that cancels it. */
function timerOf(delayMs: number, isBackground?: boolean) {
  const setTimer = vi.spyOn(globalThis, 'setTimeout')
  const cancel = systemClock.setTimer(() => {}, delayMs, isBackground)
  return {
    timer: setTimer.mock.results[0]!.value as NodeJS.Timeout,
    delay: setTimer.mock.calls[0]![1],
    cancel,
  }
}

test('a timer: it keeps the process alive until it is cancelled, but not in the background', () => {
  for (const isBackground of [undefined, false, true]) {
    const { timer, delay, cancel } = timerOf(60_000, isBackground)
    const clear = vi.spyOn(globalThis, 'clearTimeout')
    expect([delay, timer.hasRef()]).toEqual([60_000, isBackground !== true])
    cancel()
    expect(clear).toHaveBeenCalledWith(timer)
    vi.restoreAllMocks()
  }
})

test('a wait longer than a timer can be: the timer is as long as it can be', () => {
  for (const delayMs of [2 ** 31 - 1, 2 ** 31, 1e15]) {
    const { delay, cancel } = timerOf(delayMs)
    expect(delay).toBe(2 ** 31 - 1)
    cancel()
    vi.restoreAllMocks()
  }
})

test('the time: on the process’s monotonic clock, whatever the wall clock shows', () => {
  vi.spyOn(Date, 'now').mockReturnValue(0)
  const before = monotonicMs()
  const now = systemClock.now()
  expect(now).toBeGreaterThanOrEqual(before)
  expect(now).toBeLessThanOrEqual(monotonicMs())
})
