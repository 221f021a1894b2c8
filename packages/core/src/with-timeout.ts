/** What ends a wait before its time. */
export interface Limits {
  readonly timeoutMs: number
  /** Its reason is what the wait rejects with. */
  readonly signal: AbortSignal
}

/** `work`, unless one of `limits` comes first; its late outcome is then dropped, not left unhandled. */
export async function withTimeout<T>(
  work: Promise<T>,
  limits: Limits,
  timeoutError: () => Error,
): Promise<T> {
  const { timeoutMs, signal } = limits
  signal.throwIfAborted()
  let giveUp = () => {}
  let timer: NodeJS.Timeout | undefined
  const ended = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp)
    timer = setTimeout(() => reject(timeoutError()), timeoutMs)
  })
  try {
    return await Promise.race([work, ended])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
  }
}
