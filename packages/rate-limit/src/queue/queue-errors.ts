import { RateLimitError } from '../errors.ts'
import type { CompleteOptions } from '../limiter-options.ts'
import type { PermitSource } from '../permit-source.ts'

/** State of the queue for the message of an error. */
export interface QueueState {
  readonly source: PermitSource
  readonly options: CompleteOptions
  /** Number of requests that wait now. */
  readonly waiting: number
  readonly now: number
}

/** Returns the error for a request whose signal was aborted. */
export function abortedError(signal: AbortSignal): RateLimitError {
  return new RateLimitError('ERR_RATE_LIMIT_ABORTED', 'The wait for a permit was aborted by its signal.', {
    cause: signal.reason,
  })
}

/** Returns the error for a request that the queue has no room for. */
export function fullError(state: QueueState): RateLimitError {
  const retryAfterMs = estimateWaitMs(state)
  return new RateLimitError(
    'ERR_RATE_LIMIT_QUEUE_FULL',
    `The queue for permits is full (\`maxQueue\` is ${state.options.maxQueue}); this request would have waited about ${retryAfterMs} ms. Open fewer connections at once or raise \`maxQueue\`.`,
    { retryAfterMs },
  )
}

/**
 * Returns the error for a request that has waited for `timeoutMs`.
 *
 * @param ahead - the number of requests that waited when it joined
 */
export function timeoutError(timeoutMs: number, ahead: number, state: QueueState): RateLimitError {
  const { source, options, waiting, now } = state
  const retryAfterMs = estimateWaitMs(state)
  const { degradedBy: cause } = source
  if (cause !== undefined) {
    return new RateLimitError(
      'ERR_RATE_LIMIT_STORE_LOST',
      `No permit was granted within ${timeoutMs} ms: the store that the limit is shared through is unreachable. ${cause.message} Bring it back, or see \`onStoreLost\`.`,
      { cause, retryAfterMs },
    )
  }
  const { limit, effectiveLimit } = source.counts(now)
  const slowed = effectiveLimit < limit ? `, ${effectiveLimit} for now because the server throttles` : ''
  return new RateLimitError(
    'ERR_RATE_LIMIT_TIMEOUT',
    `No permit was granted within ${timeoutMs} ms. Ahead when the request was made: ${ahead}; waiting now: ${waiting}; limit: ${limit} per ${options.intervalMs} ms${slowed}. Open fewer connections at once or wait longer (\`maxWaitMs\`, \`timeoutMs\`).`,
    { retryAfterMs },
  )
}

function estimateWaitMs({ source, now, waiting }: QueueState): number {
  return Math.ceil(source.estimateWaitMs(now, waiting))
}
