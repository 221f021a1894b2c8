import { once } from 'node:events'

/** Waits until `signal` aborts. A listener that does not keep the process alive can be waited on. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  const keepAlive = setInterval(() => {}, 60_000)
  if (!signal.aborted) await once(signal, 'abort')
  clearInterval(keepAlive)
}
