import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RefreshBackoff } from '../../src/credentials/refresh-backoff.ts'
import { setUp } from '../set-up.ts'

beforeEach(() => {
  useMovedClock()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Returns the pauses, in milliseconds, after which a refresh may start: it is tried at every millisecond. */
function pauses(backoff: RefreshBackoff, target: Parameters<RefreshBackoff['tryStart']>[0], count: number) {
  return Array.from({ length: count }, () => {
    let waitedMs = 0
    do {
      vi.advanceTimersByTime(1)
      waitedMs++
    } while (!backoff.tryStart(target))
    return waitedMs
  })
}

test('rejections without end: the pauses double from 2 to 10 seconds', () => {
  const backoff = new RefreshBackoff()
  const { target } = setUp()
  expect(backoff.tryStart(target)).toBe(true)
  expect(pauses(backoff, target, 5)).toEqual([2_000, 4_000, 8_000, 10_000, 10_000])
})

test('a login of that user that is accepted: the next pause is the first again', () => {
  const backoff = new RefreshBackoff()
  const { target } = setUp()
  backoff.tryStart(target)
  pauses(backoff, target, 2)
  backoff.reset(target)
  expect(pauses(backoff, target, 2)).toEqual([8_000, 2_000])
})

test('another user: refreshed at once, and its accepted logins change no pause', () => {
  const backoff = new RefreshBackoff()
  const [one, other] = [setUp().target, setUp().target]
  backoff.tryStart(one)
  backoff.reset(other)
  expect(backoff.tryStart(other)).toBe(true)
  expect(pauses(backoff, one, 2)).toEqual([2_000, 4_000])
})

test('no rejection for 10 seconds after a pause: the backoff starts again, and not a millisecond sooner', () => {
  const backoff = new RefreshBackoff()
  const { target } = setUp()
  backoff.tryStart(target)
  vi.advanceTimersByTime(2_000 + 9_999)
  backoff.tryStart(target)
  expect(pauses(backoff, target, 1)).toEqual([4_000])
  vi.advanceTimersByTime(8_000 + 10_000)
  backoff.tryStart(target)
  expect(pauses(backoff, target, 1)).toEqual([2_000])
})
