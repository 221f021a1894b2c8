import { setTimeout as sleep } from 'node:timers/promises'
import { LocalAuroraError } from '../errors.ts'
import { printableLines } from '../printable.ts'
import type { SupervisedProcess } from './supervised-process.ts'

const START_TIMEOUT_MS = 60_000
const POLL_MS = 20

/**
 * Waits until a server that starts is ready. A server that is not ready in time is stopped.
 *
 * @param isReady - is called until it returns true. An error counts as false
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_DATABASE_FAILED`, `ERR_LOCAL_AURORA_ABORTED`
 */
export async function untilReady(
  server: SupervisedProcess,
  signal: AbortSignal | undefined,
  isReady: (giveUp: AbortSignal) => Promise<boolean>,
): Promise<void> {
  const tooLate = AbortSignal.timeout(START_TIMEOUT_MS)
  const giveUp = AbortSignal.any([server.ended, tooLate, ...(signal === undefined ? [] : [signal])])
  while (!giveUp.aborted) {
    // An error means that the server is not there yet, unless the start was aborted meanwhile.
    if (await isReady(giveUp).catch(() => false)) return
    await sleep(POLL_MS)
  }
  const wasRunning = !server.ended.aborted
  await server.stop()
  if (signal?.aborted) throw startAborted(signal)
  const message = wasRunning
    ? `MariaDB was not ready within ${START_TIMEOUT_MS} ms`
    : `MariaDB ended while it was starting. Its last words:\n${printableLines(server.ended.reason.message)}`
  throw new LocalAuroraError('ERR_LOCAL_AURORA_DATABASE_FAILED', message, { cause: giveUp.reason })
}

/** Returns the error for a start that `signal` has aborted. */
export function startAborted(signal: AbortSignal): LocalAuroraError {
  return new LocalAuroraError('ERR_LOCAL_AURORA_ABORTED', 'The start of MariaDB was aborted', {
    cause: signal.reason,
  })
}
