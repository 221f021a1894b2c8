import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { afterEach, expect, test, vi } from 'vitest'
import { createRateLimiter } from '../src/index.ts'
import { monotonicMs } from '../src/monotonic-ms.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

test('seconds and nanoseconds of the process’s clock: milliseconds with their fraction', () => {
  const clock = vi.spyOn(process, 'hrtime').mockReturnValue([86_400, 0])
  const startedAt = monotonicMs()
  clock.mockReturnValue([86_402, 250_062_500])
  expect(monotonicMs() - startedAt).toBeCloseTo(2_250.0625, 4)
})

test('fake timers: they move it, and it runs on when they begin, are cleared and end', () => {
  const startedAt = monotonicMs()
  useMovedClock('setTimeout')
  const fakedAt = monotonicMs()
  expect(fakedAt - startedAt).toBe(0)
  vi.advanceTimersByTime(1_500)
  expect(monotonicMs() - fakedAt).toBeCloseTo(1_500, 4)
  vi.clearAllTimers()
  expect(monotonicMs() - fakedAt).toBeCloseTo(1_500, 4)
  vi.advanceTimersByTime(500)
  expect(monotonicMs() - fakedAt).toBeCloseTo(2_000, 4)
  vi.useRealTimers()
  const endedAt = monotonicMs()
  expect(endedAt - fakedAt).toBeCloseTo(2_000, 4)
  expect(monotonicMs()).toBeGreaterThanOrEqual(endedAt)
})

test('fake timers that begin while a limiter is full: its next permit is an interval away', async () => {
  const limiter = createRateLimiter({ limit: 1, intervalMs: 1_000 })
  const first = await limiter.acquire()
  first.release('ok')
  useMovedClock('setTimeout')
  const second = limiter.acquire()
  await vi.advanceTimersByTimeAsync(2_000)
  await expect(second).resolves.toBeDefined()
  limiter.close()
})
