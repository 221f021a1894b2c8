import { BLOCKED_MS, LONGEST_TIMER_MS } from '../timings.ts'
import { monotonicMs } from './monotonic-ms.ts'

/**
 * Calls `onTimeout` after `limitMs`, once, unless it is stopped. A process that was blocked when the time was over
 * reads its sockets first, and gets the time again that it lost. No limit overflows a timer of Node.
 *
 * @param limitMs - 0 for no limit
 * @returns a function that stops it
 */
export function startTimeLimit(limitMs: number, onTimeout: () => void): () => void {
  if (limitMs === 0) return () => {}
  let isStopped = false
  let dueAt = monotonicMs() + limitMs
  let timer: NodeJS.Timeout
  const arm = () => {
    const delayMs = Math.max(1, Math.ceil(dueAt - monotonicMs()))
    timer = setTimeout(expire, Math.min(delayMs, LONGEST_TIMER_MS))
  }
  const expire = () => {
    const lateMs = monotonicMs() - dueAt
    // Node runs timers before it reads sockets.
    setImmediate(() => {
      if (isStopped) return
      if (lateMs >= BLOCKED_MS) dueAt = monotonicMs() + Math.min(lateMs, limitMs)
      else if (lateMs > -1) return onTimeout()
      arm()
    })
  }
  arm()
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}
