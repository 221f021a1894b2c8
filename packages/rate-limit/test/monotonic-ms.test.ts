import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { afterEach, expect, test, vi } from 'vitest'
import { monotonicMs } from '../src/monotonic-ms.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

test('seconds and nanoseconds of the process’s clock: milliseconds with their fraction', () => {
  vi.spyOn(process, 'hrtime').mockReturnValue([86_400, 250_062_500])
  expect(monotonicMs()).toBe(86_400_250.0625)
})

test('fake timers: they move it, and it runs on when they end', () => {
  const startedAt = monotonicMs()
  useMovedClock()
  vi.advanceTimersByTime(1_500)
  expect(monotonicMs()).toBe(1_500)
  vi.useRealTimers()
  expect(monotonicMs()).toBeGreaterThanOrEqual(startedAt)
})
