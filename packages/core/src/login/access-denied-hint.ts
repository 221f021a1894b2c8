import type { CredentialsEvidence } from '../credentials/credential-cache.ts'
import type { Address, ConnectionTarget } from '../endpoint/connection-target.ts'
import { AuroraIamError } from '../errors.ts'
import { CLOCK_JUMP_MS, LONGEST_CREDENTIALS_MS } from '../timings.ts'
import { isRegionDoubtful, suspectedTunnel } from './suspect-target.ts'

/** What is known when the database refuses a token that has just been made. */
export interface RefusalCircumstances {
  readonly target: ConnectionTarget
  /** Where the socket was opened; undefined where none was. */
  readonly dialled: Address | undefined
  /** The time that the token was signed by, epoch milliseconds. */
  readonly nowMs: number
  /** By how much the clock was set forward (or, negative, back) since a login was last accepted, in milliseconds. */
  readonly clockMovedMs: number
  /** How many logins have been accepted so far. */
  readonly accepted: number
  /** Whether more than one user or endpoint was refused, and none accepted since the start. */
  readonly isRefusedEverywhere: boolean
  /** What is known of the credentials that signed; undefined where they are the token provider's secret. */
  readonly credentials: CredentialsEvidence | undefined
}

/**
 * What to look at when a new token is refused, the likeliest first. The server only says 1045; AWS's five reasons are
 * in the database's own log.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
 */
export function refusalHint(circumstances: RefusalCircumstances): AuroraIamError {
  const { target, nowMs, accepted, credentials } = circumstances
  const { hostname, port, username } = target
  const clock = clockSuspicion(circumstances)
  const reasons = [
    clock,
    credentials?.endedMs !== undefined &&
      `the credentials that signed ended at ${timeOf(credentials.endedMs)}, and are used on while their source gives no newer ones`,
    portSuspicion(circumstances),
    regionSuspicion(circumstances),
    `the identity that signed may not rds-db:connect as dbuser ${username} of this database`,
    `the user ${username} does not exist, or was not created with AWSAuthenticationPlugin`,
    !clock && `the clock of this machine, which says ${timeOf(nowMs)}, is wrong`,
    'the database throttles new connections',
  ].filter((reason) => typeof reason === 'string')
  const record =
    accepted > 0 ? `${accepted} logins were accepted before` : 'no login has been accepted before'
  return new AuroraIamError(
    'ERR_AURORA_IAM_ACCESS_DENIED',
    `The database refused a token that had just been made for ${username} at ${hostname}:${port}; ${record}. ` +
      `It does not say why. The likely reasons: ${reasons.map((reason, index) => `(${index + 1}) ${reason}`).join('; ')}. ` +
      '`npx aurora-iam doctor` looks at each.',
  )
}

/** Why the clock of this machine is suspected first, if there is anything that speaks against it. */
function clockSuspicion(circumstances: RefusalCircumstances): string | undefined {
  const { nowMs, clockMovedMs, accepted, isRefusedEverywhere, credentials } = circumstances
  const aheadMs = credentials?.clockAheadOfStsMs ?? 0
  const time = timeOf(nowMs)
  if (Math.abs(aheadMs) >= CLOCK_JUMP_MS) {
    const direction = aheadMs > 0 ? 'ahead of' : 'behind'
    return `the clock of this machine says ${time}, which is ${minutes(aheadMs)} ${direction} that of AWS STS`
  }
  if (Math.abs(clockMovedMs) >= CLOCK_JUMP_MS) {
    const direction = clockMovedMs > 0 ? 'forward' : 'back'
    const since = accepted > 0 ? 'a login was last accepted' : 'the start'
    // The monotonic clock stands still while a machine sleeps.
    const slept = clockMovedMs > 0 ? ' (or the machine slept that long)' : ''
    return `the clock of this machine was set ${direction} by ${minutes(clockMovedMs)} since ${since}${slept} and now says ${time}`
  }
  const lifeMs = (credentials?.expiresMs ?? nowMs) - nowMs
  if (lifeMs > LONGEST_CREDENTIALS_MS && lifeMs < Number.POSITIVE_INFINITY) {
    return (
      `the clock of this machine, which says ${time}, is probably slow: by it the credentials end in ` +
      `${Math.floor(lifeMs / 3_600_000)} h, and AWS gives none for more than 36 h`
    )
  }
  if (isRefusedEverywhere) {
    return (
      `the clock of this machine, which says ${time}, is wrong: several users or endpoints were refused and none ` +
      'was accepted, so it is probably something that they have in common, this or the next'
    )
  }
  return undefined
}

/** Why the port that is signed is suspected: it is the tunnel's where nobody gives the database's own. */
function portSuspicion({ target, dialled, accepted }: RefusalCircumstances): string | undefined {
  const tunnel = accepted > 0 ? undefined : suspectedTunnel(target, dialled)
  if (!tunnel) return undefined
  return (
    `the token is signed for port ${target.port}, which leads to ${tunnel.host}: if that is a tunnel, give the port of the ` +
    'database itself as `port` beside `hostname`'
  )
}

/** Why the Region that is signed is suspected. */
function regionSuspicion({ target, accepted }: RefusalCircumstances): string | undefined {
  if (accepted > 0 || !isRegionDoubtful(target)) return undefined
  return (
    `the database is in another Region than ${target.region ?? 'that of the AWS configuration'}, for which the token is signed ` +
    'and which its name does not tell: give its own as `region`'
  )
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}

function minutes(ms: number): string {
  return `${Math.round(Math.abs(ms) / 60_000)} min`
}
