import { createHash, timingSafeEqual } from 'node:crypto'
import type { IamRefusal } from '../log/log-events.ts'
import { quote } from '../printable.ts'
import { parseToken, type Token } from './parse-token.ts'
import type { KnownPrincipal, Principals } from './principals.ts'
import { ALGORITHM, SERVICE, signatureOf, TERMINATOR } from './sigv4.ts'

/** Facts of a login besides the token. */
export interface Login {
  /** The user name of the MySQL handshake. */
  readonly username: string
  /** The endpoint names of this database, in lower case. */
  readonly hostnames: readonly string[]
  /** The port of this database, which is part of what is signed. */
  readonly port: number
  readonly region: string
  /** `cluster-…`, `db-…` or `prx-…`: the name of the database in policies. */
  readonly resourceId: string
  readonly accountId: string
  /** `aws`, `aws-cn`, `aws-us-gov`, … */
  readonly partition: string
}

/** Result of {@link verifyToken}. `detail` is one sentence without a secret. */
export type Verdict =
  | { readonly accepted: true; readonly accessKeyId: string; readonly hostname: string }
  | {
      readonly accepted: false
      readonly reason: IamRefusal
      readonly detail: string
      readonly accessKeyId?: string
    }

/** Tolerance of other AWS services. AWS documents none for `rds-db`. */
const CLOCK_AHEAD_TOLERANCE_MS = 5 * 60_000
const LONGEST_EXPIRES_SECONDS = 900

type Refusal = { readonly reason: IamRefusal; readonly detail: string }

/**
 * Verifies a token as the database host does. It checks the form, the login, the age, the credentials, the signature
 * and the policy, in this order. It never throws, whatever a client sends.
 *
 * @param token - the clear-text password of the client, without the final NUL
 * @param nowMs - the server's time, in epoch milliseconds
 * @param tokenLifetimeMs - longest lifetime of a token, in milliseconds. A longer X-Amz-Expires does not extend it
 */
export function verifyToken(
  token: string,
  login: Login,
  principals: Principals,
  nowMs: number,
  tokenLifetimeMs: number,
): Verdict {
  const parsed = parseToken(token)
  if ('problem' in parsed) return { accepted: false, reason: 'InvalidToken', detail: parsed.problem }
  const [accessKeyId, ...scope] = parsed.credential.split('/') as [string, ...string[]]
  const principal = principals.get(accessKeyId)
  const refusal =
    checkPurpose(parsed, login) ??
    checkScope(scope, parsed, login) ??
    checkEndpoint(parsed, login) ??
    checkAge(parsed, nowMs, tokenLifetimeMs) ??
    (principal === undefined
      ? invalid(`access key ${quote(accessKeyId)} is unknown here`)
      : (checkCredentials(parsed, principal, nowMs) ??
        checkSignature(parsed, login.region, principal) ??
        checkPolicy(login, principal)))
  if (refusal !== undefined) return { accepted: false, ...refusal, accessKeyId }
  return { accepted: true, accessKeyId, hostname: parsed.hostname.toLowerCase() }
}

/** Returns the name of a token in logs: the first 12 hexadecimal digits of its SHA-256. */
export function tokenFingerprint(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 12)
}

function checkPurpose(token: Token, login: Login): Refusal | undefined {
  if (token.action !== 'connect') return invalid(`Action is ${quote(token.action)}, expected "connect"`)
  if (token.username !== login.username) {
    const sameButForCase = token.username.toLowerCase() === login.username.toLowerCase()
    return invalid(
      `the token is for database user ${quote(token.username)}, the login is as ${quote(login.username)}` +
        (sameButForCase ? ': upper and lower case must agree' : ''),
    )
  }
  if (token.algorithm !== ALGORITHM)
    return invalid(`X-Amz-Algorithm is ${quote(token.algorithm)}, expected "${ALGORITHM}"`)
  if (token.signedHeaders !== 'host')
    return invalid(
      `X-Amz-SignedHeaders is ${quote(token.signedHeaders)}, expected "host" alone` +
        ('host'.startsWith(token.signedHeaders) ? ': the token looks truncated' : ''),
    )
  return undefined
}

function checkScope(scope: readonly string[], token: Token, login: Login): Refusal | undefined {
  if (scope.length !== 4)
    return invalid(
      `X-Amz-Credential has ${scope.length + 1} parts, expected key/date/region/service/terminator`,
    )
  const expected = [
    ['date', token.date.slice(0, 8)],
    ['region', login.region],
    ['service', SERVICE],
    ['terminator', TERMINATOR],
  ] as const
  for (const [index, [part, value]] of expected.entries()) {
    const signed = scope[index] as string
    if (signed !== value)
      return invalid(`the ${part} in X-Amz-Credential is ${quote(signed)}, expected ${quote(value)}`)
  }
  return undefined
}

function checkEndpoint(token: Token, login: Login): Refusal | undefined {
  if (!login.hostnames.includes(token.hostname.toLowerCase()))
    return invalid(
      `the token is signed for host ${quote(token.hostname)}, this database answers to ${login.hostnames.map((name) => quote(name)).join(', ')}`,
    )
  if (token.port !== String(login.port))
    return invalid(`the token is signed for port ${quote(token.port)}, the database port is ${login.port}`)
  return undefined
}

function checkAge(token: Token, nowMs: number, tokenLifetimeMs: number): Refusal | undefined {
  const expiresSeconds = /^[1-9]\d{0,5}$/.test(token.expires) ? Number(token.expires) : Number.NaN
  if (!(expiresSeconds <= LONGEST_EXPIRES_SECONDS))
    return invalid(
      `X-Amz-Expires is ${quote(token.expires)}, expected a number of seconds from 1 to ${LONGEST_EXPIRES_SECONDS}`,
    )
  const ageMs = nowMs - token.signedAtMs
  if (ageMs < -CLOCK_AHEAD_TOLERANCE_MS)
    return invalid(
      `the token is dated ${seconds(-ageMs)} in the future (X-Amz-Date ${token.date}): the client's clock is fast`,
    )
  const lifetimeMs = Math.min(expiresSeconds * 1000, tokenLifetimeMs)
  if (ageMs >= lifetimeMs)
    return expired(
      `the token is ${seconds(ageMs)} old (X-Amz-Date ${token.date}), good for ${seconds(lifetimeMs)}`,
    )
  return undefined
}

function checkCredentials(token: Token, principal: KnownPrincipal, nowMs: number): Refusal | undefined {
  if (token.sessionToken === undefined && principal.sessionToken !== undefined)
    return invalid('X-Amz-Security-Token is missing, the access key belongs to temporary credentials')
  if (token.sessionToken !== undefined && principal.sessionToken === undefined)
    return invalid('X-Amz-Security-Token is present, the access key is a long-lived one that has none')
  if (!sameSecret(token.sessionToken ?? '', principal.sessionToken ?? ''))
    return invalid('X-Amz-Security-Token is not the one that belongs to the access key')
  if (principal.expiration !== undefined && principal.expiration.getTime() <= nowMs)
    return expired(`the credentials that signed the token expired at ${principal.expiration.toISOString()}`)
  return undefined
}

function checkSignature(token: Token, region: string, principal: KnownPrincipal): Refusal | undefined {
  const request = {
    host: `${token.hostname}:${token.port}`,
    query: token.signedQuery,
    date: token.date,
    region,
  }
  return sameSecret(token.signature, signatureOf(request, principal.secretAccessKey))
    ? undefined
    : invalid(
        'the signature does not match: another secret access key, or the token was changed after signing',
      )
}

function checkPolicy(login: Login, principal: KnownPrincipal): Refusal | undefined {
  const { partition, region, accountId, resourceId, username } = login
  const resource = `arn:${partition}:rds-db:${region}:${accountId}:dbuser:${resourceId}/${username}`
  const decision = principal.authorize('rds-db:connect', resource)
  if (decision === 'allowed') return undefined
  const caller = principal.arn ?? `access key ${principal.accessKeyId}`
  const detail = `${caller} is ${decision} rds-db:connect on ${resource} by its policy`
  return { reason: 'NotAuthorized', detail }
}

/** Compares digests, so that the time does not depend on content or length. */
function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}

function invalid(detail: string): Refusal {
  return { reason: 'InvalidToken', detail }
}

function expired(detail: string): Refusal {
  return { reason: 'ExpiredToken', detail }
}
