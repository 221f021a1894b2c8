import { createHash, createHmac } from 'node:crypto'
import type { AwsCredentialIdentity } from '@smithy/types'

/** Everything that goes into a token but the time. */
export interface SigningInput {
  readonly hostname: string
  readonly port: number
  readonly username: string
  readonly region: string
  readonly credentials: AwsCredentialIdentity
}

const SERVICE = 'rds-db'
const ALGORITHM = 'AWS4-HMAC-SHA256'
/** Lifetime of a token in seconds, the only one that the database accepts. */
const TOKEN_LIFE_S = 900

/**
 * Returns the string of a new token: the presigned request `connect` of the service `rds-db`, without its protocol. It
 * equals that of `@aws-sdk/rds-signer` to the letter, which a test compares. That signer is 250 KB of code to load, for
 * a request that has the same parts each time.
 *
 * @param nowMs - time of the signature, in epoch milliseconds
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * @see https://github.com/aws/aws-sdk-js-v3/tree/main/packages/rds-signer
 */
export function sign({ hostname, port, username, region, credentials }: SigningInput, nowMs: number): string {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const scope = [time.slice(0, 8), region, SERVICE, 'aws4_request']
  // In the order of their names, as the signature demands it.
  const query = [
    parameter('Action', 'connect'),
    parameter('DBUser', username),
    parameter('X-Amz-Algorithm', ALGORITHM),
    parameter('X-Amz-Credential', `${accessKeyId}/${scope.join('/')}`),
    parameter('X-Amz-Date', time),
    parameter('X-Amz-Expires', `${TOKEN_LIFE_S}`),
    ...(sessionToken ? [parameter('X-Amz-Security-Token', sessionToken)] : []),
  ].join('&')
  const signedHeaders = parameter('X-Amz-SignedHeaders', 'host')
  const host = `${hostname}:${port}`
  const request = ['GET', '/', `${query}&${signedHeaders}`, `host:${host}`, '', 'host', sha256('')].join('\n')
  const key = scope.reduce<string | Buffer>((key, part) => hmac(key, part).digest(), `AWS4${secretAccessKey}`)
  const text = [ALGORITHM, time, scope.join('/'), sha256(request)].join('\n')
  const signature = parameter('X-Amz-Signature', hmac(key, text).digest('hex'))
  return `${host}/?${query}&${signature}&${signedHeaders}`
}

/** Encodes all but the unreserved characters of RFC 3986, of which `encodeURIComponent` leaves out five. */
function parameter(name: string, value: string): string {
  const encoded = encodeURIComponent(value).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${name}=${encoded}`
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string) {
  return createHmac('sha256', key).update(text)
}
