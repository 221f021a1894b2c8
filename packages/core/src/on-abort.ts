type Listener = (reason: unknown) => void

// One listener of Node's for all of a signal: one for each would make Node warn of a leak at the eleventh, and take
// quadratic time when they leave.
const listeners = new WeakMap<AbortSignal, Set<Listener>>()

/** Calls `listener` when `signal` is aborted, at once if it has been. Returns what makes it listen no more. */
export function onAbort(signal: AbortSignal, listener: Listener): () => void {
  if (signal.aborted) listener(signal.reason)
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
