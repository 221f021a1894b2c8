/** The Error that `action` throws. */
export function caught(action: () => unknown): Error {
  try {
    action()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('It did not throw an Error.')
}
