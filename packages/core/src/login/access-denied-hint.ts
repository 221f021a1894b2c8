import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { databaseResources } from '../endpoint/database-resource.ts'
import { isProxyKind } from '../endpoint/rds-hostname.ts'
import { AuroraIamError } from '../errors.ts'
import { USUAL_SESSION_MS } from '../timings.ts'
import {
  clockSuspicion,
  type DenialCause,
  type DenialEvidence,
  foreignClaims,
  rankDenialCauses,
} from './denial-causes.ts'

/**
 * Returns what to check when a new token is rejected, the likeliest cause first. The server only reports 1045; AWS's
 * five reasons are in the database's own log.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
 */
export function accessDeniedHint(evidence: DenialEvidence): AuroraIamError {
  const { target, accepted } = evidence
  const { hostname, port, username } = target
  const reasons = rankDenialCauses(evidence).map((cause) => SENTENCES[cause](evidence))
  const record =
    accepted > 0 ? `${accepted} logins were accepted before` : 'no login has been accepted before'
  return new AuroraIamError(
    'ERR_AURORA_IAM_ACCESS_DENIED',
    `The database rejected a token that had just been signed for ${username} at ${hostname}:${port}; ${record}. ` +
      `It does not report why. The likely reasons: ${reasons.map((reason, index) => `(${index + 1}) ${reason}`).join('; ')}. ` +
      '`npx aurora-iam doctor` checks each.',
  )
}

/**
 * Returns what to check when the server rejects a user without asking for a token: MySQL asks an unknown user, and one
 * with a password, for another proof. RDS Proxy does so for a user whose secret it does not have for IAM.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_UserAuthConfig.html
 */
export function tokenNotRequestedHint({ hostname, port, username, kind }: ConnectionTarget): AuroraIamError {
  const reasons = isProxyKind(kind)
    ? `the proxy at ${hostname}:${port} accepts no IAM login for ${username}. With standard IAM (DefaultAuthScheme NONE), it needs a ` +
      `secret for ${username} (names are case-sensitive) with IAMAuth REQUIRED, and the database user keeps its password. ` +
      'With end-to-end IAM (DefaultAuthScheme IAM_AUTH), the user needs the plugin: IDENTIFIED WITH ' +
      "AWSAuthenticationPlugin AS 'RDS'"
    : `${username} at ${hostname}:${port} is not an IAM user. Either no such user ` +
      'exists (names are case-sensitive), or it has a password. Create the user with IDENTIFIED WITH ' +
      "AWSAuthenticationPlugin AS 'RDS', and check that IAM authentication is enabled"
  return new AuroraIamError(
    'ERR_AURORA_IAM_ACCESS_DENIED',
    `The server did not ask for a token: ${reasons}. \`npx aurora-iam doctor\` checks both.`,
  )
}

const SENTENCES: Readonly<Record<DenialCause, (evidence: DenialEvidence) => string>> = {
  clock: clockSentence,
  'foreign-token': ({ claims, target, nowMs }) =>
    `the token of \`tokenProvider\` is ${claims ? foreignClaims(claims, target, nowMs).join(', ') : 'for another login'}`,
  'credentials-expired': credentialsSentence,
  name: ({ target }) =>
    `${target.hostname} is not a name that RDS issued: the database compares the signed name with its own. Give its ` +
    'endpoint as `hostname`, and this name as the host',
  port: ({ target, dialled }) =>
    dialled?.port === target.port
      ? `the token is signed for port ${target.port}, which leads to ${dialled.host}: if that is a tunnel, give the port of the ` +
        'database itself as `port` beside `hostname`'
      : `the token is signed for port ${target.port}, and port ${dialled?.port} was dialled: if the database itself listens on ` +
        'another port than the signed one, give that as `port`',
  region: ({ target }) =>
    `the database is in another Region than ${target.region ?? 'that of the AWS configuration'}, for which the token is signed ` +
    `and which its name does not tell: give its own as \`region\`${target.kind === 'global-writer' ? ', which is that of the current writer (`aws rds describe-global-clusters`)' : ''}`,
  permission: ({ target }) => {
    const [resource, other] = databaseResources(target.kind)
    const or = other ? `, or for a member of a cluster ${other.idPrefix}…` : ''
    return (
      `the identity that signed has no rds-db:connect for dbuser:${resource.idPrefix}…/${target.username}${or} (the id is ` +
      `${resource.idSource})`
    )
  },
  user: ({ target }) =>
    `the user ${target.username} does not exist, differs in letter case, or was not created with AWSAuthenticationPlugin`,
  'iam-off': ({ target }) =>
    `IAM authentication is off: \`${databaseResources(target.kind)
      .map(({ enableCommand }) => enableCommand)
      .join('` or `')}\``,
  'proxy-secret': ({ target }) =>
    `with standard IAM (DefaultAuthScheme NONE), the proxy has no secret for ${target.username} with IAMAuth REQUIRED, or the ` +
    "secret's password is not the one that the database has",
  'proxy-role': ({ target }) =>
    `with end-to-end IAM (DefaultAuthScheme IAM_AUTH), the proxy's own role has no rds-db:connect for ${target.username}, or ` +
    'the user was not created with AWSAuthenticationPlugin',
  withdrawn: ({ acceptedAgoMs = 0, target }) =>
    `since the last accepted login of ${target.username}, ${duration(acceptedAgoMs)} ago, its permission was withdrawn, the ` +
    'access key was deleted, or the user was dropped',
  throttled: () =>
    'the database throttles new connections: lower `rateLimit`, and share it between processes',
}

function clockSentence(evidence: DenialEvidence): string {
  const { nowMs, accepted, isRefusedEverywhere } = evidence
  const clock = 'the clock of this machine'
  const time = new Date(nowMs).toISOString()
  const suspicion = clockSuspicion(evidence)
  switch (suspicion?.by) {
    case 'sts': {
      const direction = suspicion.aheadMs > 0 ? 'ahead of' : 'behind'
      return `${clock} shows ${time}, which is ${duration(suspicion.aheadMs)} ${direction} that of AWS STS`
    }
    case 'jump': {
      const direction = suspicion.movedMs > 0 ? 'forward' : 'back'
      const since = accepted > 0 ? 'a login was last accepted' : 'the start'
      // The monotonic clock stands still while a machine sleeps.
      const slept = suspicion.movedMs > 0 ? ' (or the machine slept that long)' : ''
      return `${clock} was set ${direction} by ${duration(suspicion.movedMs)} since ${since}${slept} and now shows ${time}`
    }
    case 'credentials': {
      const hours = Math.floor(suspicion.lifeMs / 3_600_000)
      return `${clock}, which shows ${time}, is probably slow: by it the credentials expire in ${hours} h, and AWS issues none for more than 36 h`
    }
    default:
      return isRefusedEverywhere
        ? `${clock}, which shows ${time}, is wrong: several users or endpoints were rejected and none was accepted, so the ` +
            'cause is probably one that they have in common, this or the next'
        : `${clock}, which shows ${time}, is wrong`
  }
}

function credentialsSentence({ credentials }: DenialEvidence): string {
  if (credentials?.endedMs !== undefined) {
    return (
      `the credentials that signed expired at ${new Date(credentials.endedMs).toISOString()}, and are used until their ` +
      'provider returns newer ones'
    )
  }
  const ageMs = credentials?.ageMs ?? 0
  // When they were issued is unknown: an environment variable may be days old when the process starts.
  const doubt =
    ageMs >= USUAL_SESSION_MS
      ? `came without an expiration ${duration(ageMs)} ago, and have probably expired since`
      : 'have no expiration, and may have expired before this process got them'
  return `the temporary credentials that signed ${doubt}: give a function, or credentials with \`expiration\`, so that they are refreshed`
}

function duration(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000)
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
