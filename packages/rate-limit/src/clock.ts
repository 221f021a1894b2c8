import { monotonicMs } from './monotonic-ms.ts'

/** Where a limiter reads the time and sets its timer. Replace it in tests only. */
export interface RateLimitClock {
  /** Milliseconds on a scale that never goes back. */
  now(): number
  /**
   * Runs `callback` once, about `delayMs` whole milliseconds from now. It may run a little early: the limiter looks at
   * `now()` again.
   *
   * @param isBackground - whether the process may end before; without it, a pending timer keeps the process alive.
   * @returns a function that cancels the timer.
   */
  setTimer(callback: () => void, delayMs: number, isBackground?: boolean): () => void
}

/** Beyond this `setTimeout` fires at once; waking early instead is harmless. */
const longestTimeoutMs = 2 ** 31 - 1

/** The process's monotonic clock: steps of the wall clock neither stall a limiter nor let it burst. */
export const systemClock: RateLimitClock = {
  now: monotonicMs,
  setTimer(callback, delayMs, isBackground = false) {
    const timeout = setTimeout(callback, Math.min(delayMs, longestTimeoutMs))
    if (isBackground) timeout.unref()
    return () => clearTimeout(timeout)
  },
}
