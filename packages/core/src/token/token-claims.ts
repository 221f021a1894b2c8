import { readTokenDates } from './auth-token.ts'

/** Claims of a presigned token. None of them is secret. */
export interface TokenClaims {
  readonly hostname: string
  readonly port: number
  readonly username: string | undefined
  readonly region: string | undefined
  /** `X-Amz-Date` + `X-Amz-Expires`. */
  readonly expiresAt: Date | undefined
}

/**
 * Returns what `token` is signed for; undefined for a token of another form than AWS's signers give it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function readTokenClaims(token: string): TokenClaims | undefined {
  if (!URL.canParse(`https://${token}`)) return undefined
  const { hostname, port, searchParams } = new URL(`https://${token}`)
  const region = searchParams.get('X-Amz-Credential')?.split('/')[2]
  if (region === undefined) return undefined
  return {
    hostname,
    port: port === '' ? 443 : Number(port),
    username: searchParams.get('DBUser') ?? undefined,
    region,
    expiresAt: readTokenDates(token)?.expiresAt,
  }
}
