import type { RateLimit, RateLimiter } from '@aurora-iam/rate-limit'
import type { CredentialSource } from './credentials/credential-cache.ts'
import type { Address } from './endpoint/address.ts'
import type { TokenTarget } from './endpoint/connection-target.ts'
import type { CertificateAuthorities } from './tls/certificate-authorities.ts'
import type { TokenProvider } from './token/token-source.ts'

/** The options of {@link createAuroraIam}, and the second argument of every `withAuroraIam`. All are optional. */
export interface AuroraIamOptions {
  /** Region of the database. @defaultValue the one in the host name, else `AWS_REGION`, else the profile's */
  readonly region?: string | undefined
  /**
   * AWS credentials, or a function that returns them. They are of one AWS partition: give the databases of another
   * partition, such as China, another AuroraIam. @defaultValue the AWS SDK's default chain
   */
  readonly credentials?: CredentialSource | undefined
  /** The profile of the AWS shared files to take credentials and Region from. @defaultValue `AWS_PROFILE` */
  readonly profile?: string | undefined
  /** The RDS endpoint name to sign and to verify, when the driver's `host` is another name (a tunnel, a CNAME). */
  readonly hostname?: string | undefined
  /** The port of the database to sign, when the driver's `port` is another one. */
  readonly port?: number | undefined
  /**
   * Where to connect, when it is not the host that is signed: a tunnel, a private address. A function is called for
   * each new connection, and an error that it throws is passed on unchanged.
   */
  readonly dial?: Partial<Address> | ((target: TokenTarget) => Partial<Address>) | undefined
  /** Issues the tokens in place of the built-in signer. */
  readonly tokenProvider?: TokenProvider | undefined
  /**
   * Most new connections in any second. One limiter serves all pools of the process that go to the same
   * endpoint, or to the writer and the reader endpoint of one cluster. With `{ limit, store: redisStore(client) }` all
   * processes that use that Redis share it. Give a {@link RateLimiter} to decide what is shared, such as between custom
   * endpoints, whose names do not have their cluster; or `false` for no limit.
   *
   * @defaultValue `'conservative'`: 20 a second
   */
  readonly rateLimit?: RateLimit | RateLimiter | false | undefined
  /**
   * Longest wait of a new connection in the queue, in milliseconds, also of a {@link RateLimiter} that is given.
   *
   * @defaultValue the `maxWaitMs` of the options in `rateLimit`, else 30000
   */
  readonly maxWaitMs?: number | undefined
  /**
   * Longest time of a TCP connection to the database to open, in milliseconds, the look-up of its name included. The
   * driver's time limit lasts to the end of the login. A short limit finds a name that moved to another host sooner.
   *
   * @defaultValue 3000
   */
  readonly tcpTimeoutMs?: number | undefined
  /** Certificate authorities (PEM) instead of those that AWS publishes for the Region. */
  readonly ca?: CertificateAuthorities | undefined
  /** Milliseconds before its expiry that a token is refreshed in the background. @defaultValue 120000 */
  readonly refreshBeforeMs?: number | undefined
  /** Longest time for an answer of the AWS credential provider, in milliseconds. @defaultValue 10000 */
  readonly credentialsTimeoutMs?: number | undefined
  /**
   * Checks on each new connection to the writer endpoint of a cluster that it reached the writer, and closes it if
   * not. After a failover the name leads to the old writer for a while. A pool would keep such connections, which
   * answer 1290 to every change. The check costs a round trip for each new connection. @defaultValue false
   */
  readonly requireWriter?: boolean | undefined
  /**
   * Lifetime of a connection in a pool, in milliseconds, or `false` for no limit. Each connection gets up to 10 % less,
   * so that a pool is not replaced at once. A connection is replaced only while it is idle, at most at a tenth of the
   * rate limit, and not while another connection waits for a permit. Single connections have no limit.
   *
   * @defaultValue 1800000 (30 minutes)
   */
  readonly maxLifetimeMs?: number | false | undefined
  /**
   * Interval of lookups of the name of a writer or instance endpoint while a pool uses it, in milliseconds, or `false`
   * for never. When it leads to another address, connections to the old one are replaced. Reader and custom endpoints
   * are not watched: their answers rotate.
   *
   * @defaultValue 5000
   */
  readonly watchEndpointMs?: number | false | undefined
  /**
   * True if connections of a pool to a writer endpoint are replaced after the server refused a change because it is
   * read-only (1290, 1836): it was demoted. The error reaches the caller unchanged. @defaultValue true
   */
  readonly retireDemoted?: boolean | undefined
  /**
   * For a cluster that pauses (Aurora Serverless v2 with a minimum of 0 ACUs): longest time until the server's first
   * bytes, in milliseconds, in place of the driver's time limit, which begins with these bytes. One login goes ahead,
   * and the others wait for its greeting. 60000 leaves time for an instance that was paused for more than a day. See
   * `docs/connection-lifetime.md`.
   *
   * @defaultValue none: the driver's time limit
   */
  readonly resumeTimeoutMs?: number | undefined
  /**
   * Repeats a login once, with a new token and its own permit, when the database rejects a token that was cached. Knex
   * and TypeORM read it. A pool of mysql2 needs `withLoginRetry`, and Prisma's pool always does it.
   *
   * @defaultValue false
   */
  readonly retryRejectedLogins?: boolean | undefined
  /**
   * `false`: the plain password path, for local development and for databases with standard authentication. All
   * other options are then checked but not used. @defaultValue true
   */
  readonly enabled?: boolean | undefined
  /** The time, in epoch milliseconds, for tests. It must not throw. @defaultValue Date.now */
  readonly clock?: (() => number) | undefined
}
