/** Meaning and remedy of one error code. */
export interface ErrorEntry {
  /** True if the same call can succeed later with nothing changed in the configuration. */
  readonly retryable: boolean
  readonly meaning: string
  readonly remedy: string
}

/**
 * The closed list of codes of `AuroraIamError`, in the order of a connection's steps. The type of the codes, the tables
 * of the READMEs and `docs/errors.md` are derived from it or tested against it.
 */
export const errorCatalogue = {
  ERR_AURORA_IAM_UNKNOWN_OPTION: {
    retryable: false,
    meaning: 'an option that does not exist, or that cannot be combined with IAM',
    remedy: 'use one that the message lists',
  },
  ERR_AURORA_IAM_INVALID_OPTION: {
    retryable: false,
    meaning: 'an option with an invalid value',
    remedy: 'give what the message expects',
  },
  ERR_AURORA_IAM_CONFLICTING_OPTIONS: {
    retryable: false,
    meaning: 'options that contradict each other, the host name, or another user of the endpoint',
    remedy: 'leave one out',
  },
  ERR_AURORA_IAM_PASSWORD_GIVEN: {
    retryable: false,
    meaning: 'a password beside IAM',
    remedy: 'remove it, or give `enabled: false`',
  },
  ERR_AURORA_IAM_HOST_NOT_SIGNABLE: {
    retryable: false,
    meaning: 'a host that no token can be signed for: loopback, an IP address, a CNAME, a load balancer',
    remedy: 'give the RDS endpoint as `hostname`',
  },
  ERR_AURORA_IAM_REGION_UNKNOWN: {
    retryable: false,
    meaning: 'no Region in the options, the host name or the AWS configuration',
    remedy: "give `region`, or connect to a Region's cluster endpoint",
  },
  ERR_AURORA_IAM_TLS_REQUIRED: {
    retryable: false,
    meaning: 'TLS is off, weakened, or not verified on this connection',
    remedy: 'leave `ssl` out; give other authorities as `ca`',
  },
  ERR_AURORA_IAM_TRUST_ROOTS_MISSING: {
    retryable: false,
    meaning: 'no certificate authorities are known for this Region',
    remedy: 'pass the bundle that the message names as `ca`',
  },
  ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE: {
    retryable: true,
    meaning: 'the credential provider failed, or its credentials expire within seconds',
    remedy: 'configure `credentials`, `profile` or a source of the AWS SDK',
  },
  ERR_AURORA_IAM_CREDENTIALS_TIMEOUT: {
    retryable: true,
    meaning: 'the credential provider did not answer in time',
    remedy: 'check that the metadata endpoint or STS can be reached',
  },
  ERR_AURORA_IAM_CREDENTIALS_INVALID: {
    retryable: false,
    meaning: 'the credential provider returned something invalid, or expired credentials',
    remedy: 'renew them (`aws sso login`), check the clock',
  },
  ERR_AURORA_IAM_TOKEN_FAILED: {
    retryable: true,
    meaning: 'signing or `tokenProvider` failed',
    remedy: 'see `cause`',
  },
  ERR_AURORA_IAM_ACCESS_DENIED: {
    retryable: false,
    meaning: "never thrown: the `cause` of the server's own 1045 to a new token",
    remedy: 'check what the message lists, the likeliest first',
  },
  ERR_AURORA_IAM_NOT_A_WRITER: {
    retryable: true,
    meaning: 'with `requireWriter`: the server is a reader, as after a failover, or does not show it',
    remedy: 'connect again; the connection was not kept',
  },
  ERR_AURORA_IAM_RATE_LIMITED: {
    retryable: true,
    meaning: 'no permit of the rate limit within `maxWaitMs`; see `retryAfterMs`',
    remedy: 'open fewer connections, or raise `maxWaitMs` or `rateLimit`',
  },
  ERR_AURORA_IAM_PAUSED: {
    retryable: true,
    meaning: 'with `resumeTimeoutMs`: a paused or unresponsive database sent no greeting in time',
    remedy: 'raise `resumeTimeoutMs`, or the option that the message names',
  },
  ERR_AURORA_IAM_ABORTED: {
    retryable: false,
    meaning: 'the caller, the driver or its pool cancelled the wait',
    remedy: 'none: `cause` is the reason of the abort',
  },
  ERR_AURORA_IAM_CLOSED: {
    retryable: false,
    meaning: 'used after `close()`',
    remedy: 'create a new one',
  },
} as const satisfies Record<string, ErrorEntry>
