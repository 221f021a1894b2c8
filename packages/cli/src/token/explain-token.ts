import { parseRdsHostname } from '@aurora-iam/core/adapter'
import { parseToken, type Token } from '@aurora-iam/local/iam'

/** Fields of a token, without its secrets, and its problems. */
export interface TokenExplanation {
  /** The fields; undefined for a text that is not a token. */
  readonly token: TokenFields | undefined
  /** Reasons why the server would reject it; empty for a live token of the right form. */
  readonly problems: readonly string[]
}

/** The fields of a token that are not secret. */
export interface TokenFields {
  readonly hostname: string
  readonly port: number
  readonly region: string | undefined
  readonly user: string
  /** Last four characters of the id of the access key. */
  readonly accessKeyEndsIn: string
  /** True if temporary credentials signed it: it then expires with them, which the token does not show. */
  readonly hasSessionToken: boolean
  readonly signedAt: Date
  readonly expiresAt: Date
}

/** Longest life that the server accepts: https://github.com/aws/aws-sdk-go/issues/3903 */
const LONGEST_LIFE_SECONDS = 900

/** Tolerance of other AWS services for a clock that is ahead. AWS documents none for `rds-db`. */
const CLOCK_AHEAD_MS = 5 * 60_000

/** Explains a token at the time `nowMs`. Only the server can check its signature. */
export function explainToken(text: string, nowMs: number): TokenExplanation {
  const token = parseToken(text)
  if ('problem' in token) return { token: undefined, problems: [`It is not well formed: ${token.problem}.`] }
  const [accessKeyId = '', date, region, service, terminator] = token.credential.split('/')
  const lifeSeconds = /^\d{1,6}$/.test(token.expires) ? Number(token.expires) : undefined
  const expiresAt = new Date(token.signedAtMs + Math.min(lifeSeconds ?? 0, LONGEST_LIFE_SECONDS) * 1000)
  const fields: TokenFields = {
    hostname: token.hostname,
    port: Number(token.port),
    region,
    user: token.username,
    accessKeyEndsIn: accessKeyId.slice(-4),
    hasSessionToken: token.sessionToken !== undefined,
    signedAt: new Date(token.signedAtMs),
    expiresAt,
  }
  const problems = [
    ...purposeProblems(token),
    ...scopeProblems(token, { date, region, service, terminator }),
    ...hostProblems(token, region),
    ...lifeProblems(lifeSeconds, fields, nowMs),
  ]
  return { token: fields, problems }
}

function purposeProblems({ action, algorithm, signedHeaders, username }: Token): string[] {
  return [
    ...(action === 'connect' ? [] : ['Its action is not "connect". Sign it for RDS.']),
    ...(algorithm === 'AWS4-HMAC-SHA256' ? [] : ['Its algorithm is not AWS4-HMAC-SHA256.']),
    ...(signedHeaders === 'host' ? [] : ['It signs other headers than "host" alone.']),
    ...(username === '' ? ['It names no database user.'] : []),
  ]
}

function scopeProblems(
  { date: signed }: Token,
  scope: Readonly<Record<'date' | 'region' | 'service' | 'terminator', string | undefined>>,
): string[] {
  return [
    ...(scope.date === signed.slice(0, 8)
      ? []
      : ['The day in its credential scope is not that of X-Amz-Date.']),
    ...(scope.service === 'rds-db' ? [] : ['It is signed for another service than rds-db.']),
    ...(scope.terminator === 'aws4_request' ? [] : ['Its credential scope does not end with aws4_request.']),
  ]
}

function hostProblems({ hostname }: Token, region: string | undefined): string[] {
  const parsed = parseRdsHostname(hostname)
  if (parsed === undefined) {
    return ['It is signed for a name that is not an RDS endpoint. Sign the endpoint name that RDS issued.']
  }
  return [
    ...(parsed.hostname === hostname ? [] : ['The host name has upper-case letters. Sign it in lower case.']),
    ...(parsed.region === undefined || parsed.region === region
      ? []
      : [`It is signed for another Region than ${parsed.region}, where the host is.`]),
  ]
}

function lifeProblems(
  lifeSeconds: number | undefined,
  { signedAt, expiresAt }: TokenFields,
  nowMs: number,
): string[] {
  if (lifeSeconds === undefined) return ['X-Amz-Expires is not a number of seconds.']
  if (lifeSeconds > LONGEST_LIFE_SECONDS)
    return [`X-Amz-Expires is ${lifeSeconds}, and the server accepts at most ${LONGEST_LIFE_SECONDS}.`]
  if (expiresAt.getTime() <= nowMs) return [`It expired at ${expiresAt.toISOString()}.`]
  if (signedAt.getTime() > nowMs + CLOCK_AHEAD_MS)
    return ['It was signed more than 5 minutes in the future. Check the clock of the machine that signed it.']
  return []
}
