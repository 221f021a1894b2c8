import type { AwsCredentialIdentity } from '@smithy/types'

/** Everything that goes into a token. */
export interface SigningInput {
  readonly hostname: string
  readonly port: number
  readonly username: string
  readonly region: string
  readonly credentials: AwsCredentialIdentity
}

/** Makes the token string. */
export type Sign = (input: SigningInput) => Promise<string>

/** Lifetime of a token in seconds, the only one that the database accepts. */
const TOKEN_LIFE_S = 900

/**
 * Returns a signer by `clock`. The request is the one of AWS's RDS signer, and its SigV4 implementation signs it; a test
 * holds the tokens of both equal to the letter. It is loaded with the first token: loading takes longer than signing.
 *
 * @param clock - returns epoch milliseconds
 * @see https://github.com/aws/aws-sdk-js-v3/tree/main/packages/rds-signer
 */
export function signAt(clock: () => number): Sign {
  return async ({ hostname, port, username, region, credentials }) => {
    const [{ SignatureV4 }, { Sha256 }, { HttpRequest, buildQueryString }] = await Promise.all([
      import('@smithy/signature-v4'),
      import('@smithy/core/checksum'),
      import('@smithy/core/protocols'),
    ])
    const request = new HttpRequest({
      method: 'GET',
      protocol: 'https:',
      hostname,
      port,
      query: { Action: 'connect', DBUser: username },
      headers: { host: `${hostname}:${port}` },
    })
    const signer = new SignatureV4({ service: 'rds-db', region, credentials, sha256: Sha256 })
    const signingDate = new Date(clock())
    const { query = {} } = await signer.presign(request, { expiresIn: TOKEN_LIFE_S, signingDate })
    return `${hostname}:${port}/?${buildQueryString(query)}`
  }
}
