import { createHash, createHmac } from 'node:crypto'

/** The service and the terminator of every RDS token's credential scope. */
export const SERVICE = 'rds-db'
export const TERMINATOR = 'aws4_request'
export const ALGORITHM = 'AWS4-HMAC-SHA256'

/** Request that an RDS token signs, exactly as the client wrote it. */
export interface SignedRequest {
  /** `host:port`, as signed. */
  readonly host: string
  /** `name=value` pairs in their percent-encoded form, without `X-Amz-Signature`, in any order. */
  readonly query: readonly string[]
  /** `YYYYMMDDTHHMMSSZ` */
  readonly date: string
  readonly region: string
}

/**
 * Computes the Signature Version 4 of an RDS token: 64 lower-case hexadecimal digits.
 *
 * Written from the specification, on `node:crypto` alone. It shares no code with a signer, so that it finds its faults:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signatureOf(request: SignedRequest, secretAccessKey: string): string {
  const day = request.date.slice(0, 8)
  const canonicalRequest = [
    'GET',
    '/',
    [...request.query].sort(byCodePoint).join('&'),
    `host:${request.host}`,
    '',
    'host',
    sha256(''),
  ].join('\n')
  const stringToSign = [
    ALGORITHM,
    request.date,
    `${day}/${request.region}/${SERVICE}/${TERMINATOR}`,
    sha256(canonicalRequest),
  ].join('\n')
  const signingKey = [day, request.region, SERVICE, TERMINATOR].reduce<Buffer | string>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    `AWS4${secretAccessKey}`,
  )
  return createHmac('sha256', signingKey).update(stringToSign).digest('hex')
}

/** Percent-encodes by RFC 3986, which is the only form that Signature Version 4 signs. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** Compares encoded text, which is ASCII: its code units are code points. */
function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
