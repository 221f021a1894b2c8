/**
 * Returns `error` of a store, or an Error in place of what is none: its message is read, and it is thrown as a cause.
 */
export function storeFailure(error: unknown): Error {
  if (error instanceof Error) return error
  return new Error(`It failed with ${typeof error === 'string' ? error : 'no error'}.`, { cause: error })
}
