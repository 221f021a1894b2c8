import type { RateLimiterStats } from '@aurora-iam/rate-limit'
import type { TokenTarget } from './endpoint/connection-target.ts'
import type { PoolStats } from './lifetime/lifetimes.ts'
import type { AuthToken } from './token/auth-token.ts'

/** Counts since the AuroraIam was created, and its last error. */
export interface AuroraIamStats {
  readonly tokensSigned: number
  /** Number of calls of the AWS credential provider. */
  readonly credentialsResolved: number
  /** New connections that logged in, and open ones that changed their user. */
  readonly connectionsOpened: number
  /** New connections that were not established, or not kept. */
  readonly connectionsFailed: number
  /** Why the last of them failed. */
  readonly lastError:
    | { readonly code: string | undefined; readonly message: string; readonly at: Date }
    | undefined
  /** The limiter of each database endpoint, by `hostname:port`. A cluster's writer and reader endpoint share one. */
  readonly rateLimits: Readonly<Record<string, RateLimiterStats>>
  /** Each pool that has open connections or connections that wait, and how many of them were retired. */
  readonly pools: readonly PoolStats[]
}

/** Tokens, TLS policy and connection rate for any number of pools. Give one to several `withAuroraIam` to share it. */
export interface AuroraIam {
  /**
   * Returns a live token for the AWS SDK's three names, from the cache when there is one.
   *
   * @throws {@link AuroraIamError} for a target that cannot be signed, and for credentials that are not available
   */
  token(target: TokenTarget): Promise<AuthToken>
  /** Returns what has happened so far. */
  stats(): AuroraIamStats
  /** Ends every wait for a token or a permit and evicts all tokens. Open connections stay open. */
  close(): void
}
