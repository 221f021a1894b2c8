/** An error with whatever the driver or the ORM has put on it. */
// biome-ignore lint/suspicious/noExplicitAny: each driver has properties of another kind, which the test names
type ErrorLike = Error & Record<string, any>

/**
 * Returns the error that `work` rejects with.
 *
 * @throws Error if `work` resolves, or rejects with something that is no Error
 */
export async function rejectionOf(work: PromiseLike<unknown>): Promise<ErrorLike> {
  try {
    await work
  } catch (error) {
    return asError(error)
  }
  throw new Error('It did not reject.')
}

/**
 * Returns the error that `action` throws before it returns.
 *
 * @throws Error if `action` returns, or throws something that is no Error
 */
export function errorThrownBy(action: () => unknown): ErrorLike {
  try {
    action()
  } catch (error) {
    return asError(error)
  }
  throw new Error('It did not throw.')
}

/** Returns the error that `action` passes to its callback. Null and undefined mean success, as in Node. */
export function callbackErrorOf(action: (callback: (error: unknown) => void) => void): Promise<unknown> {
  return new Promise((resolve) => action(resolve))
}

function asError(reason: unknown): ErrorLike {
  if (reason instanceof Error) return reason
  throw new Error('The reason is not an Error.', { cause: reason })
}
