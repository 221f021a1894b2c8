import { setImmediate as nextTurn } from 'node:timers/promises'

/** Delay of a timer from which on the event loop counts as blocked, in milliseconds. */
const BLOCKED_FROM_MS = 50

/**
 * Calls `onTimeout` when `timeoutMs` are over, unless the returned function is called before.
 *
 * Time in which the event loop was blocked is given back, up to `timeoutMs` altogether: the server may have answered
 * meanwhile. For the same reason one turn of the loop reads what lies in the socket before the limit is reached.
 */
export function startTimeLimit(timeoutMs: number, onTimeout: () => void): () => void {
  let timer: NodeJS.Timeout
  let isOver = false
  let creditMs = timeoutMs
  const start = (durationMs: number) => {
    const dueAt = performance.now() + durationMs
    timer = setTimeout(() => void expire(performance.now() - dueAt), durationMs)
  }
  const expire = async (blockedMs: number) => {
    const extensionMs = Math.min(Math.max(blockedMs, 0), creditMs)
    creditMs -= extensionMs
    if (extensionMs >= BLOCKED_FROM_MS) return start(extensionMs)
    await nextTurn()
    if (!isOver) onTimeout()
  }
  start(timeoutMs)
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
