import { raceAbort } from '../util/abortable.ts'
import { abortedError, closedError } from './permit-errors.ts'

/**
 * Returns the result of `work`, unless `closing` or the caller's `signal` is aborted first.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CLOSED` for `closing`; `ERR_AURORA_IAM_ABORTED` for `signal`; what
 * `work` throws
 */
export function untilAborted<T>(
  work: () => Promise<T>,
  closing: AbortSignal,
  signal: AbortSignal | undefined,
): Promise<T> {
  return withSignals((signals) => raceAbort(work, signals), closing, signal)
}

/**
 * Returns the result of `work`, which rejects with the reason of the first of its signals that is aborted.
 *
 * @throws {@link AuroraIamError} as {@link untilAborted}: a new object for each call
 */
export async function withSignals<T>(
  work: (signals: readonly AbortSignal[]) => Promise<T>,
  closing: AbortSignal,
  signal: AbortSignal | undefined,
): Promise<T> {
  try {
    return await work(signal ? [closing, signal] : [closing])
  } catch (error) {
    // Drivers write to the errors that they pass on, so that each wait has a separate one.
    if (error === closing.reason) throw closedError()
    throw error === signal?.reason ? abortedError(error) : error
  }
}
