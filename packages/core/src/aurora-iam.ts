import type { RateLimiterStats } from '@aurora-iam/rate-limit'
import type { ConnectionTarget, DriverAddress, TokenTarget } from './endpoint/connection-target.ts'
import type { LoginAttempt } from './login/login-attempt.ts'
import type { WriterCheck } from './login/writer-check.ts'
import type { TlsPolicy } from './tls/tls-policy.ts'
import type { AuthToken } from './token/auth-token.ts'

/** What has happened so far. Counts since the AuroraIam was made. */
export interface AuroraIamStats {
  readonly tokensSigned: number
  /** How often the AWS credential source was asked. */
  readonly credentialsResolved: number
  /** New connections that logged in, and open ones that changed their user. */
  readonly connectionsOpened: number
  /** Those that did not come about or were not kept, for whatever reason. */
  readonly connectionsFailed: number
  /** The last of those reasons. */
  readonly lastError:
    | { readonly code: string | undefined; readonly message: string; readonly at: Date }
    | undefined
  /** The limiter of each database endpoint, by `hostname:port`; a cluster's writer and reader endpoint have one in common. */
  readonly rateLimits: Readonly<Record<string, RateLimiterStats>>
}

/**
 * Tokens, TLS policy and connection rate for any number of pools. Pass one as the second argument of
 * `withAuroraIam` to share it. The members after {@link close} are what adapters are built on.
 */
export interface AuroraIam {
  /**
   * A live token for the AWS SDK's three names, from the cache when there is one.
   *
   * @throws {@link AuroraIamError} for a target that cannot be signed, and for credentials that cannot be had
   */
  token(target: TokenTarget): Promise<AuthToken>
  /** What has happened so far. */
  stats(): AuroraIamStats
  /** Ends every wait for a token or a place and forgets all tokens. Connections that are open stay open. */
  close(): void

  /** False on the plain password path: the driver's options are then left alone. */
  readonly enabled: boolean
  /** The longest that {@link login} can take before it resolves or rejects, in milliseconds. */
  readonly longestWaitMs: number
  /** What to sign, verify and dial for an address of the driver. `userOption` is the driver's word for its user. */
  resolve(address: DriverAddress, userOption?: string): ConnectionTarget
  /** With `requireWriter`: how to find out whether a new connection to `target` is to be kept. */
  writerCheck(target: ConnectionTarget): WriterCheck | undefined
  /** How a connection to `target` is secured, given the driver's own `ssl` option. */
  tls(target: ConnectionTarget, ssl?: unknown): TlsPolicy
  /**
   * Makes sure of a token, then waits for a place under the rate limit: after this a socket may be opened.
   *
   * @param signal - calls it off, whatever it waits for
   * @throws {@link AuroraIamError} a new object for each call, as drivers write to the errors they pass on;
   * `ERR_AURORA_IAM_CLOSED` if it was called off
   */
  login(target: ConnectionTarget, signal?: AbortSignal): Promise<LoginAttempt>
  /**
   * Calls `open`, which opens a connection by way of {@link login}; and once more, with a new token and a place of
   * its own under the rate limit, if the database refused a token that was made for an earlier login, or that it had
   * taken before. Of many that are refused together one tries first, and the others follow if it got in; at most once
   * in 5 seconds for one user of one endpoint. A token that had just been made is not tried again.
   *
   * The error that `open` rejects with must be the object that was given to {@link LoginAttempt.failed}.
   */
  retryRefused<T>(open: () => Promise<T>): Promise<T>
}
