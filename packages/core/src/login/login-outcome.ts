import type { CachedToken } from '../token/token-cache.ts'

/** MySQL's "Access denied": on Aurora the answer to a bad token and to too many logins alike. */
const ER_ACCESS_DENIED = 1045

/**
 * MySQL's "Too many connections", which RDS Proxy also answers to too many logins.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.troubleshooting.html
 */
const ER_CON_COUNT = 1040

/** Meaning of the error of a failed login for the rate and for the token. */
export interface LoginOutcome {
  readonly isDenied: boolean
  /** True if the rate limit is to be lowered. */
  readonly isThrottled: boolean
}

/**
 * Reads the error by which a login failed.
 *
 * @param sent - the token that the server may have received; undefined if it did not ask for one
 * @param isTokenEarly - true if the token went to the driver before the socket was opened: the server may not have it
 */
export function loginOutcome(
  error: Error,
  sent: CachedToken | undefined,
  isTokenEarly: boolean,
): LoginOutcome {
  // Errors of the network have negative numbers or none, those of MySQL positive ones.
  const { errno = 0 } = error as { errno?: number }
  const isDenied = errno === ER_ACCESS_DENIED
  const isAnswer = errno > 0
  // A user who was accepted a moment ago is denied for the rate rather than for the token. A server that is
  // unresponsive after the token may throttle or be overloaded: both need fewer logins.
  const isThrottled =
    errno === ER_CON_COUNT ||
    (sent !== undefined && (isDenied ? sent.signer.acceptedAt !== undefined : !isAnswer && !isTokenEarly))
  return { isDenied, isThrottled }
}
