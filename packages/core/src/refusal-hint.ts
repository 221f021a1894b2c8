import { AuroraIamError } from './errors.ts'
import type { ConnectionTarget } from './target.ts'

/** What is known when the database refuses a token that has just been made. */
export interface RefusalCircumstances {
  readonly target: ConnectionTarget
  /** The time that the token was signed by, epoch milliseconds. */
  readonly nowMs: number
  /** By how much the clock was set forward (or, negative, back) since a login was last accepted, in milliseconds. */
  readonly clockMovedMs: number
  /** How many logins have been accepted so far. */
  readonly accepted: number
}

// Below this a clock is being disciplined, not wrong.
const MOVED_MS = 60_000

/**
 * What to look at when a new token is refused. The server only says 1045; AWS's five reasons are in the database's
 * own log.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
 */
export function refusalHint({ target, nowMs, clockMovedMs, accepted }: RefusalCircumstances): AuroraIamError {
  const { hostname, port, username } = target
  const time = new Date(nowMs).toISOString()
  const reasons = [
    `the identity that signed may not rds-db:connect as dbuser ${username} of this database`,
    `the user ${username} does not exist, or was not created with AWSAuthenticationPlugin`,
    `the clock of this machine, which says ${time}, is wrong`,
    'the database throttles new connections',
  ]
  if (Math.abs(clockMovedMs) >= MOVED_MS) {
    const minutes = Math.round(Math.abs(clockMovedMs) / 60_000)
    reasons.unshift(
      `the clock of this machine was set ${clockMovedMs > 0 ? 'forward' : 'back'} by ${minutes} min since ` +
        `${accepted > 0 ? 'a login was last accepted' : 'the start'} and now says ${time}`,
    )
    reasons.splice(3, 1)
  }
  const record =
    accepted > 0 ? `${accepted} logins were accepted before` : 'no login has been accepted before'
  return new AuroraIamError(
    'ERR_AURORA_IAM_LOGIN_REFUSED',
    `The database refused a token that had just been made for ${username} at ${hostname}:${port}; ${record}. ` +
      `It does not say why. The likely reasons: ${reasons.map((reason, index) => `(${index + 1}) ${reason}`).join('; ')}.`,
  )
}
