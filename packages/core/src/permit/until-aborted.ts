import { raceAbort } from '../util/abortable.ts'
import { abortedError } from './permit-errors.ts'

/**
 * Returns the result of `work`, unless `closing` or the caller's `signal` is aborted first.
 *
 * @throws {@link AuroraIamError} the reason of `closing`; `ERR_AURORA_IAM_ABORTED` for `signal`; what `work` throws
 */
export async function untilAborted<T>(
  work: () => Promise<T>,
  closing: AbortSignal,
  signal: AbortSignal | undefined,
): Promise<T> {
  try {
    return await raceAbort(work, signal ? [closing, signal] : [closing])
  } catch (error) {
    throw asAborted(error, closing, signal)
  }
}

/** Returns the error of a wait for its caller: `ERR_AURORA_IAM_ABORTED` where the caller's `signal` ended it. */
export function asAborted(error: unknown, closing: AbortSignal, signal: AbortSignal | undefined): unknown {
  return signal?.aborted && !closing.aborted ? abortedError(signal.reason) : error
}
