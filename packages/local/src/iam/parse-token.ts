import { quote } from '../printable.ts'
import { percentEncode } from './sigv4.ts'

/** Parts of a well-formed token. None of them is verified. */
export interface Token {
  /** The signed host name: upper case is kept. */
  readonly hostname: string
  /** The signed port: digits. */
  readonly port: string
  readonly action: string
  readonly username: string
  readonly algorithm: string
  /** `accessKeyId/date/region/service/terminator` */
  readonly credential: string
  /** `YYYYMMDDTHHMMSSZ` */
  readonly date: string
  readonly signedAtMs: number
  readonly expires: string
  readonly sessionToken: string | undefined
  readonly signedHeaders: string
  /** 64 lower-case hexadecimal digits */
  readonly signature: string
  /** Every `name=value` pair but the signature's, as the client encoded it. */
  readonly signedQuery: readonly string[]
}

/** Reason why a text is not a token, in one sentence without a secret. */
export interface TokenProblem {
  readonly problem: string
}

const REQUIRED = [
  'Action',
  'DBUser',
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
] as const

/** Parses a token of the form `host:port/?name=value&…`. The order of the parameters does not matter. */
export function parseToken(text: string): Token | TokenProblem {
  const [, hostname, port, query] = /^([^/?#:@%\s]{1,255}):(\d{1,5})\/\?(.*)/s.exec(text) ?? []
  if (hostname === undefined || port === undefined || query === undefined) return problem(notAToken(text))

  const pairs = query.split('&')
  const parameters = new Map<string, string>()
  for (const pair of pairs) {
    const separator = pair.indexOf('=')
    const name = decode(pair.slice(0, Math.max(separator, 0)))
    const value = decode(pair.slice(separator + 1))
    if (name === undefined || name === '' || value === undefined)
      return problem(
        `parameter ${parameters.size + 1} is not a percent-encoded name=value pair` +
          (pair === pairs.at(-1) ? ': the token looks truncated' : ''),
      )
    if (parameters.has(name)) return problem(`parameter ${quote(name)} is there twice`)
    if (pair !== `${percentEncode(name)}=${percentEncode(value)}`)
      return problem(
        `parameter ${quote(name)} is not percent-encoded as RFC 3986 asks, in upper-case hexadecimal`,
      )
    parameters.set(name, value)
  }
  const missing = REQUIRED.filter((name) => !parameters.has(name))
  if (missing.length > 0)
    return problem(
      `${missing.join(', ')} missing: the token of ${text.length} characters looks truncated, or was not made for RDS`,
    )
  const field = (name: (typeof REQUIRED)[number]) => parameters.get(name) as string

  // Neither of them contains a percent sign once it is decoded.
  for (const name of ['X-Amz-Credential', 'X-Amz-Security-Token'])
    if (parameters.get(name)?.includes('%'))
      return problem(`parameter "${name}" is double-encoded: encode it once`)
  const signature = field('X-Amz-Signature')
  if (!/^[0-9a-f]{64}$/.test(signature))
    return problem(
      `X-Amz-Signature has ${signature.length} characters, expected 64 lower-case hexadecimal digits` +
        (signature.length < 64 ? ': the token looks truncated' : ''),
    )
  const date = field('X-Amz-Date')
  const signedAtMs = parseDate(date)
  if (signedAtMs === undefined)
    return problem(`X-Amz-Date is ${quote(date)}, expected a time in the form 20260131T235959Z`)

  return {
    hostname,
    port,
    action: field('Action'),
    username: field('DBUser'),
    algorithm: field('X-Amz-Algorithm'),
    credential: field('X-Amz-Credential'),
    date,
    signedAtMs,
    expires: field('X-Amz-Expires'),
    sessionToken: parameters.get('X-Amz-Security-Token'),
    signedHeaders: field('X-Amz-SignedHeaders'),
    signature,
    signedQuery: pairs.filter((pair) => !pair.startsWith('X-Amz-Signature=')),
  }
}

/** Returns what the text looks like, without quoting it: it may be a password. */
function notAToken(text: string): string {
  const expected = 'expected a token in the form host:port/?Action=connect&DBUser=…'
  if (text === '') return `an empty password, ${expected}`
  if (/^https?:\/\//i.test(text)) return `a URL with its scheme, ${expected}: remove the scheme`
  if (/^[^/?#:@\s]+%3A\d+%2F%3F/i.test(text))
    return `a token percent-encoded as a whole, ${expected}: it is double-encoded`
  if (/^[^/?#:@\s]+\/\?/.test(text)) return `a token without a port, ${expected}`
  return `not a token at all (${text.length} characters), ${expected}`
}

function parseDate(date: string): number | undefined {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? []
  const [year, month, day, hour, minute, second] = parts
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const signedAt = new Date(iso)
  // The constructor accepts the 31st of June, and prints it as the 1st of July.
  const exists = !Number.isNaN(signedAt.getTime()) && signedAt.toISOString() === iso
  return exists ? signedAt.getTime() : undefined
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function problem(sentence: string): TokenProblem {
  return { problem: sentence }
}
