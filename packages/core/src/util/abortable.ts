import { onAbort } from '../on-abort.ts'

/** What ends a wait before its time. */
export interface Limits {
  readonly timeoutMs: number
  /** Its reason is what the wait rejects with. */
  readonly signal: AbortSignal
}

/** What `work` comes to, unless one of `limits` comes first; its late outcome is then dropped, not left unhandled. */
export async function withTimeout<T>(
  work: () => Promise<T>,
  { timeoutMs, signal }: Limits,
  timeoutError: () => Error,
): Promise<T> {
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(timeoutError()), timeoutMs)
  try {
    return await raceAbort(work, [signal, timeout.signal])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * What `work` comes to, unless one of `signals` is aborted first, whose reason is then what this rejects with. Of those
 * that have been aborted already the work is not even begun.
 */
export async function raceAbort<T>(work: () => Promise<T>, signals: readonly AbortSignal[]): Promise<T> {
  for (const signal of signals) signal.throwIfAborted()
  let ignore: Array<() => void> = []
  const aborted = new Promise<never>((_resolve, reject) => {
    ignore = signals.map((signal) => onAbort(signal, reject))
  })
  try {
    return await Promise.race([work(), aborted])
  } finally {
    for (const stop of ignore) stop()
  }
}
