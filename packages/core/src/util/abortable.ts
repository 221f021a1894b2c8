import { LONGEST_TIMER_MS } from '../timings.ts'

type Listener = (reason: unknown) => void

// One listener of Node's for all of a signal. With one for each, Node would warn of a leak at the eleventh, and their
// removal would take quadratic time.
const listeners = new WeakMap<AbortSignal, Set<Listener>>()

/** Calls `listener` once, when `signal` is aborted or at once if it has been. Returns a function that removes it. */
export function onAbort(signal: AbortSignal, listener: Listener): () => void {
  if (signal.aborted) {
    listener(signal.reason)
    return () => {}
  }
  const all = listenersOf(signal)
  all.add(listener)
  return () => all.delete(listener)
}

function listenersOf(signal: AbortSignal): Set<Listener> {
  const known = listeners.get(signal)
  if (known) return known
  const all = new Set<Listener>()
  listeners.set(signal, all)
  signal.addEventListener('abort', () => {
    for (const listener of all) listener(signal.reason)
  })
  return all
}

/** Signal that is aborted with the first of several. */
interface LinkedSignal {
  readonly signal: AbortSignal
  /** Removes its listeners. */
  readonly unlink: () => void
}

/**
 * Returns a signal that is aborted with the first of `signals`, until it is unlinked. `AbortSignal.any` of Node 20
 * keeps 50 bytes for each call, for as long as the oldest of the signals lives.
 */
export function linkSignals(signals: readonly AbortSignal[]): LinkedSignal {
  const controller = new AbortController()
  const stops = signals.map((signal) => onAbort(signal, (reason) => controller.abort(reason)))
  return {
    signal: controller.signal,
    unlink: () => {
      for (const stop of stops) stop()
    },
  }
}

/**
 * Waits for `delayMs`, or until one of `signals` is aborted or `wakers` calls the function that it gets. It resolves in
 * each case: the caller looks which one came. No delay overflows a timer of Node.
 *
 * @param wakers - has the functions of all that wait, oldest first
 */
export function waitFor(
  delayMs: number,
  signals: readonly AbortSignal[],
  wakers: Set<() => void> = new Set(),
): Promise<void> {
  if (signals.some(({ aborted }) => aborted)) return Promise.resolve()
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer)
      wakers.delete(wake)
      for (const stop of stops) stop()
      resolve()
    }
    const timer = setTimeout(wake, Math.min(Math.max(1, Math.ceil(delayMs)), LONGEST_TIMER_MS))
    wakers.add(wake)
    const stops = signals.map((signal) => onAbort(signal, wake))
  })
}

/** Limits that end a wait. */
export interface Limits {
  readonly timeoutMs: number
  /** Its reason is what the wait rejects with. */
  readonly signal: AbortSignal
}

/** Returns the result of `work`, unless one of `limits` comes first. A later outcome is ignored. */
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
 * Returns the result of `work`, unless one of `signals` is aborted first: then it rejects with the signal's reason. If
 * one has been aborted already, the work is not started.
 */
export async function raceAbort<T>(work: () => Promise<T>, signals: readonly AbortSignal[]): Promise<T> {
  for (const signal of signals) signal.throwIfAborted()
  let ignore!: Array<() => void>
  const aborted = new Promise<never>((_resolve, reject) => {
    ignore = signals.map((signal) => onAbort(signal, reject))
  })
  try {
    return await Promise.race([work(), aborted])
  } finally {
    for (const stop of ignore) stop()
  }
}
