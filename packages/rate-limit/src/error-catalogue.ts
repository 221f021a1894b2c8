/** The closed list of codes of `RateLimitError`. `docs/errors.md` and the README are tested against it. */
export const rateLimitErrors = {
  ERR_RATE_LIMIT_INVALID_OPTION: {
    retryable: false,
    meaning: 'an option is unknown or out of range',
    remedy: 'fix the option that `option` names',
  },
  ERR_RATE_LIMIT_TIMEOUT: {
    retryable: true,
    meaning: 'no permit within `timeoutMs`',
    remedy: 'retry after about `retryAfterMs`',
  },
  ERR_RATE_LIMIT_STORE_LOST: {
    retryable: true,
    meaning: 'no permit within `timeoutMs`, and the store is unreachable',
    remedy: 'see `cause`; check the store',
  },
  ERR_RATE_LIMIT_QUEUE_FULL: {
    retryable: true,
    meaning: '`maxQueue` requests wait already',
    remedy: 'retry after about `retryAfterMs`',
  },
  ERR_RATE_LIMIT_ABORTED: {
    retryable: false,
    meaning: "the request's signal was aborted",
    remedy: 'none: `cause` is its reason',
  },
  ERR_RATE_LIMIT_CLOSED: {
    retryable: false,
    meaning: 'the limiter was closed',
    remedy: 'create a new one',
  },
} as const
