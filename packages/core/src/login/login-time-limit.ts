import { startTimeLimit } from '../util/time-limit.ts'
import type { LoginAttempt } from './login-attempt.ts'

/** The caller's time limit of one login. */
export interface LoginTimeLimit {
  /** From the opening of the socket to the end of the login, in milliseconds; 0 for no limit. */
  readonly timeoutMs: number
  readonly timeoutError: () => Error
}

/**
 * Calls `giveUp` with an error when a login takes too long from now on. With `resumeTimeoutMs` the server's first bytes
 * may take that long, and the caller's limit begins with them.
 *
 * @returns a function that stops it
 */
export function limitLoginTime(
  login: LoginAttempt,
  { timeoutMs, timeoutError }: LoginTimeLimit,
  giveUp: (error: Error) => void,
): () => void {
  const start = () => startTimeLimit(timeoutMs, () => giveUp(timeoutError()))
  const { greetingWait } = login
  if (!greetingWait) return start()
  let stop = startTimeLimit(greetingWait.timeoutMs, () => giveUp(greetingWait.timeoutError()))
  let isOver = false
  login.onGreeting(() => {
    stop()
    if (!isOver) stop = start()
  })
  return () => {
    isOver = true
    stop()
  }
}
