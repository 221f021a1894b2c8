import { vi } from 'vitest'

/** Far more than a busy machine needs, and less than the time limit of a test. */
const LIMIT = { timeout: 20_000, interval: 5 }

/**
 * Waits until `condition` holds, and returns the value that it holds with.
 *
 * @param what - the sentence that the test fails with when the wait is over
 */
export async function until<T>(condition: () => T | Promise<T>, what?: string): Promise<NonNullable<T>> {
  try {
    return (await vi.waitUntil(condition, LIMIT)) as NonNullable<T>
  } catch (error) {
    throw what === undefined ? error : new Error(what, { cause: error })
  }
}

/** Repeats `attempt` until it no longer throws, and returns its result. */
export function untilDone<T>(attempt: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(attempt, LIMIT)
}
