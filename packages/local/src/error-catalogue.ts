/** The closed list of codes of `LocalAuroraError`. `docs/errors.md` and the README are tested against it. */
export const localAuroraErrors = {
  ERR_LOCAL_AURORA_INVALID_OPTION: {
    retryable: false,
    meaning: 'an option is wrong, or `TMPDIR` cannot be used',
    remedy: 'fix the option that `option` names',
  },
  ERR_LOCAL_AURORA_NO_DATABASE: {
    retryable: false,
    meaning: 'a program that MariaDB needs is not installed',
    remedy: 'install the package in the message',
  },
  ERR_LOCAL_AURORA_DATABASE_FAILED: {
    retryable: false,
    meaning: 'the database did not start, ended, or rejects Local Aurora',
    remedy: 'read its last words in the message',
  },
  ERR_LOCAL_AURORA_ABORTED: {
    retryable: false,
    meaning: "the caller's `signal` was aborted",
    remedy: 'none: `cause` is its reason',
  },
  ERR_LOCAL_AURORA_CLOSED: {
    retryable: false,
    meaning: 'it was used after `close()`',
    remedy: 'start another one',
  },
} as const
