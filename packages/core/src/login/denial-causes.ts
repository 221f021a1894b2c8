import type { CredentialsEvidence } from '../credentials/credential-cache.ts'
import type { Address } from '../endpoint/address.ts'
import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { isProxyKind, parseRdsHostname } from '../endpoint/rds-hostname.ts'
import { CLOCK_JUMP_MS, LONGEST_CREDENTIALS_MS, USUAL_SESSION_MS } from '../timings.ts'
import type { TokenClaims } from '../token/token-claims.ts'
import { isRegionDoubtful, suspectedTunnel } from './suspect-target.ts'

/**
 * Why a database rejects a valid-looking token with 1045.
 *
 * - `clock`: the clock of this machine is wrong
 * - `foreign-token`: the token provider's token is for another database, user or Region, or has expired
 * - `credentials-expired`: the credentials that signed have expired or were revoked
 * - `name`: the signed name is not one that RDS issued
 * - `port`: the signed port is that of a tunnel, or another than the one that was dialled
 * - `region`: the signed Region is not that of the database
 * - `permission`: the identity has no `rds-db:connect` for this user of this database
 * - `user`: the database user does not exist, has other letter case or has a password
 * - `iam-off`: IAM authentication is switched off
 * - `proxy-secret`: RDS Proxy has no secret for the user, or the secret holds another password than the database
 * - `proxy-role`: the proxy's role may not connect, or the user has no IAM plugin (end-to-end IAM)
 * - `withdrawn`: what worked before was withdrawn: permission, access key, user
 * - `throttled`: the database throttles new connections
 */
export type DenialCause =
  | 'clock'
  | 'foreign-token'
  | 'credentials-expired'
  | 'name'
  | 'port'
  | 'region'
  | 'permission'
  | 'user'
  | 'iam-off'
  | 'proxy-secret'
  | 'proxy-role'
  | 'withdrawn'
  | 'throttled'

/** Evidence when the database rejects a token that has just been signed. */
export interface DenialEvidence {
  readonly target: ConnectionTarget
  /** Where the socket was opened; undefined where none was. */
  readonly dialled: Address | undefined
  /** The time that the token was signed by, epoch milliseconds. */
  readonly nowMs: number
  /** By how much the clock was set forward (or, negative, back) since a login was last accepted, in milliseconds. */
  readonly clockMovedMs: number
  /** Number of logins that have been accepted so far. */
  readonly accepted: number
  /** Milliseconds since a login of this user at this endpoint was accepted; undefined if none was. */
  readonly acceptedAgoMs: number | undefined
  /** Number of logins in the last second, this one included. */
  readonly recentLogins: number
  /** True if more than one user or endpoint was rejected, and none accepted since the start. */
  readonly isRefusedEverywhere: boolean
  /** Evidence of the credentials that signed; undefined where they are the token provider's secret. */
  readonly credentials: CredentialsEvidence | undefined
  /** Claims of the token, where a token provider made it and it can be read. */
  readonly claims: TokenClaims | undefined
}

/** Weight of the evidence for a cause: the sort key of {@link rankDenialCauses}. */
type Weight = 0 | 1 | 2 | 3 | 4

const EXCLUDED = 0
const REMOTE = 1
const POSSIBLE = 2
const LIKELY = 3
const PROVEN = 4

// A user who was accepted so recently is rejected for the rate: a permission is seldom withdrawn in the same minute.
const RECENT_MS = 60_000

// AWS named 20 logins a second before it named higher figures, and a burst below that has never been throttled.
const BURST = 20

/**
 * Returns the causes of a rejected login, the likeliest first: what the evidence proves or suspects, then what is usual
 * for this kind of endpoint. Causes that the evidence excludes are left out.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
 */
export function rankDenialCauses(evidence: DenialEvidence): readonly DenialCause[] {
  const weights = new Map<DenialCause, Weight>()
  for (const cause of usualOrder(evidence.target)) weights.set(cause, WEIGH[cause](evidence))
  return [...weights]
    .filter(([, weight]) => weight > EXCLUDED)
    .sort(([, one], [, other]) => other - one)
    .map(([cause]) => cause)
}

/** Returns all causes for this kind of endpoint. Those of equal weight keep this order. */
function usualOrder({ kind }: ConnectionTarget): readonly DenialCause[] {
  return [
    ...(['clock', 'foreign-token', 'name', 'port', 'region', 'withdrawn'] as const),
    ...(['permission', 'credentials-expired'] as const),
    ...(isProxyKind(kind) ? (['proxy-secret', 'proxy-role'] as const) : (['user', 'iam-off'] as const)),
    'throttled',
  ]
}

const WEIGH: Readonly<Record<DenialCause, (evidence: DenialEvidence) => Weight>> = {
  clock: weighClock,
  'foreign-token': ({ claims, target, nowMs }) =>
    claims && foreignClaims(claims, target, nowMs).length > 0 ? PROVEN : EXCLUDED,
  'credentials-expired': weighCredentials,
  name: ({ target, accepted }) => (accepted > 0 || parseRdsHostname(target.hostname) ? EXCLUDED : LIKELY),
  port: weighPort,
  region: ({ target, accepted }) => (accepted === 0 && isRegionDoubtful(target) ? LIKELY : EXCLUDED),
  withdrawn: ({ acceptedAgoMs }) => (acceptedAgoMs === undefined ? EXCLUDED : POSSIBLE),
  permission: ({ acceptedAgoMs }) => (acceptedAgoMs === undefined ? POSSIBLE : EXCLUDED),
  user: ({ acceptedAgoMs }) => (acceptedAgoMs === undefined ? POSSIBLE : EXCLUDED),
  'proxy-secret': () => POSSIBLE,
  'proxy-role': () => POSSIBLE,
  'iam-off': ({ acceptedAgoMs }) => (acceptedAgoMs === undefined ? POSSIBLE : EXCLUDED),
  throttled: ({ acceptedAgoMs = Number.POSITIVE_INFINITY, recentLogins }) =>
    acceptedAgoMs < RECENT_MS || recentLogins >= BURST ? LIKELY : POSSIBLE,
}

function weighPort({ target, dialled, accepted }: DenialEvidence): Weight {
  if (accepted > 0 || dialled === undefined) return EXCLUDED
  if (suspectedTunnel(target, dialled)) return LIKELY
  if (dialled.port === target.port) return EXCLUDED
  // The database itself was dialled on another port, or a tunnel, whose port need not be that of the database.
  return dialled.host === target.hostname ? LIKELY : REMOTE
}

function weighClock(evidence: DenialEvidence): Weight {
  if (clockSuspicion(evidence)) return PROVEN
  if (evidence.credentials?.clockAheadOfStsMs !== undefined) return EXCLUDED
  return evidence.isRefusedEverywhere ? LIKELY : REMOTE
}

function weighCredentials({ credentials }: DenialEvidence): Weight {
  if (!credentials) return EXCLUDED
  if (credentials.endedMs !== undefined) return PROVEN
  if (!credentials.isTemporary || credentials.expiresMs !== Number.POSITIVE_INFINITY) return EXCLUDED
  return credentials.ageMs >= USUAL_SESSION_MS ? LIKELY : POSSIBLE
}

/** Evidence against the clock of this machine. */
export type ClockSuspicion =
  | { readonly by: 'sts'; readonly aheadMs: number }
  | { readonly by: 'jump'; readonly movedMs: number }
  | { readonly by: 'credentials'; readonly lifeMs: number }

/** Returns the evidence that the clock of this machine is wrong, if there is any. */
export function clockSuspicion({
  nowMs,
  clockMovedMs,
  credentials,
}: DenialEvidence): ClockSuspicion | undefined {
  const aheadMs = credentials?.clockAheadOfStsMs ?? 0
  if (Math.abs(aheadMs) >= CLOCK_JUMP_MS) return { by: 'sts', aheadMs }
  if (Math.abs(clockMovedMs) >= CLOCK_JUMP_MS) return { by: 'jump', movedMs: clockMovedMs }
  const lifeMs = (credentials?.expiresMs ?? nowMs) - nowMs
  return lifeMs > LONGEST_CREDENTIALS_MS && lifeMs < Number.POSITIVE_INFINITY
    ? { by: 'credentials', lifeMs }
    : undefined
}

/** Returns the claims of a token that differ from the login it was used for, as in "another port". */
export function foreignClaims(claims: TokenClaims, target: ConnectionTarget, nowMs: number): string[] {
  const found: string[] = []
  if (claims.hostname !== target.hostname) found.push(`for another host than ${target.hostname}`)
  if (claims.port !== target.port) found.push(`for another port than ${target.port}`)
  if (claims.username !== target.username) found.push(`for another user than ${target.username}`)
  if (target.region !== undefined && claims.region !== target.region) {
    found.push(`for another Region than ${target.region}`)
  }
  if (claims.expiresAt && claims.expiresAt.getTime() <= nowMs) {
    found.push(`only valid until ${claims.expiresAt.toISOString()}`)
  }
  return found
}
