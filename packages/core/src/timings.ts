/**
 * Every window of time of this package, with its reason, in milliseconds. Options carry their own defaults here too.
 */

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

/** Node runs a timer at once when it is set further ahead: 24.8 days. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Default of `maxWaitMs`: how long a connection waits in the queue of the rate limit. */
export const MAX_WAIT_MS = 30 * SECOND_MS

/** Default of `tcpTimeoutMs`: how long a TCP connection may take. A name that moved is looked up again after it. */
export const TCP_TIMEOUT_MS = 3 * SECOND_MS

/**
 * An attempt that has received nothing from its server for this long returns its permit. Two round trips across an
 * ocean.
 */
export const PERMIT_GRACE_MS = SECOND_MS / 2

/** An address that no attempt was made to for this long is no longer known as one that does not answer. */
export const SUSPECT_MEMORY_MS = MINUTE_MS

/** A timer that runs later than this was held up: the process was blocked or stopped, and not only busy. */
export const BLOCKED_MS = SECOND_MS / 4

/** Default of `refreshBeforeMs`: how long before its expiry a token is refreshed in the background. */
export const REFRESH_BEFORE_MS = 2 * MINUTE_MS

/** Default of `credentialsTimeoutMs`: how long the credential provider may take. */
export const CREDENTIALS_TIMEOUT_MS = 10 * SECOND_MS

/** Time for a token to travel from here to the server's check. No token is used closer to its expiry. */
export const TRANSIT_MS = 5 * SECOND_MS

/**
 * Shortest time between two background refreshes of one token. The first may have failed or returned the same token.
 */
export const REFRESH_PAUSE_MS = 10 * SECOND_MS

/**
 * One answer of the credential provider serves all endpoints that sign within this time. A fleet of readers asks once.
 */
export const CREDENTIALS_REUSE_MS = MINUTE_MS

/** Credentials that expire sooner are refreshed: a token expires with the credentials that signed it. */
export const SHORT_CREDENTIALS_MS = 15 * MINUTE_MS

/** After a rejected token, the credential provider is asked again at once, then after this pause. The pause doubles. */
export const FIRST_BACKOFF_MS = 2 * SECOND_MS

/** The longest pause of that backoff. */
export const LONGEST_BACKOFF_MS = 10 * SECOND_MS

/**
 * The backoff of a user starts again at the first pause when no token was rejected for this long after the last one.
 */
export const BACKOFF_MEMORY_MS = 10 * SECOND_MS

/** Rejections come in bursts. Within this time only one login per user and endpoint probes a new token. */
export const PROBE_INTERVAL_MS = 5 * SECOND_MS

/**
 * While a credential provider answers no call, it is called once in this time. Each call may leave a command or a
 * socket.
 */
export const UNANSWERED_CALL_PAUSE_MS = MINUTE_MS

/** A clock that moved by less is being disciplined (NTP). It did not jump. */
export const CLOCK_JUMP_MS = MINUTE_MS

/**
 * The longest lifetime of temporary AWS credentials.
 *
 * @see https://docs.aws.amazon.com/AWSJavaScriptSDK/v3/latest/Package/-aws-sdk-client-sts/Interface/GetSessionTokenCommandInput
 */
export const LONGEST_CREDENTIALS_MS = 36 * HOUR_MS

/** The default lifetime of a role's session. Credentials without an expiration that are older have probably expired. */
export const USUAL_SESSION_MS = HOUR_MS

/** Default of `maxLifetimeMs`: after this a connection of a pool is replaced. Load spreads to new instances by it. */
export const MAX_LIFETIME_MS = 30 * MINUTE_MS

/** The shortest `maxLifetimeMs`: a shorter one spends the rate limit on replacements. */
export const SHORTEST_LIFETIME_MS = 10 * SECOND_MS

/** Default of `watchEndpointMs`: RDS endpoint names have a TTL of 5 seconds. */
export const WATCH_ENDPOINT_MS = 5 * SECOND_MS

/** The shortest `watchEndpointMs`: resolvers answer from their cache in between. */
export const SHORTEST_WATCH_MS = SECOND_MS

/**
 * Longest time that an address counts as that of a demoted writer. The endpoint name has followed the failover by then.
 */
export const DEMOTION_MEMORY_MS = 30 * SECOND_MS

/** Interval of lookups of a login that would reach a demoted writer. */
export const DEMOTION_POLL_MS = 250

/**
 * Default of the drivers' keep-alive delay. With 10 probes, a second apart, a dead peer is noticed after 40 seconds.
 */
export const KEEP_ALIVE_MS = 30 * SECOND_MS

/** A peer that acknowledged no data for this long has vanished. */
export const DEAD_PEER_MS = 30 * SECOND_MS

/** Interval of the looks at open sockets, of that check and of others. */
export const SOCKET_LOOK_MS = 5 * SECOND_MS

/** The shortest `resumeTimeoutMs`. */
export const SHORTEST_RESUME_MS = SECOND_MS

/** A server that greeted a login this short a time ago is awake: others need not wait for the next greeting. */
export const AWAKE_MS = SECOND_MS

/**
 * Retries of a login whose connection a server that resumes closed. AWS recommends three.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html#auto-pause-waking
 */
export const RESUME_RETRIES = 3

/** Pause before each of them. */
export const RESUME_RETRY_MS = SECOND_MS
