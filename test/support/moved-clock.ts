import { vi } from 'vitest'

const TIMERS = {
  setTimeout: ['setTimeout', 'clearTimeout'],
  setInterval: ['setInterval', 'clearInterval'],
  setImmediate: ['setImmediate', 'clearImmediate'],
} as const

/**
 * Stops the monotonic clock, with the timers that are named: `vi.advanceTimersByTime` moves them until
 * `vi.useRealTimers`. The clock stops for those that read it by `process.hrtime()`, as the packages that an application
 * loads do, and for those that read it by `performance.now()`, which begins at 0.
 */
export function useMovedClock(...timers: Array<keyof typeof TIMERS>): void {
  vi.useFakeTimers({ toFake: ['hrtime', 'performance', ...timers.flatMap((timer) => TIMERS[timer])] })
}
