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

/** Signs now, with AWS's own signer. It is loaded with the first token: loading takes longer than signing. */
export const sign: Sign = async (input) => {
  const { Signer } = await import('@aws-sdk/rds-signer')
  return new Signer(input).getAuthToken()
}

/**
 * Signs at the time of another clock, for tests. AWS's signer always takes the time of the machine, so this is
 * the presign call that it makes, with a date; a test holds the two equal to the letter.
 */
export function signAt(clock: () => number): Sign {
  return async ({ hostname, port, username, region, credentials }) => {
    const [{ SignatureV4 }, { Sha256 }, { HttpRequest }, { formatUrl }] = await Promise.all([
      import('@smithy/signature-v4'),
      import('@smithy/core/checksum'),
      import('@smithy/core/protocols'),
      import('@aws-sdk/core/util'),
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
    const presigned = await signer.presign(request, { expiresIn: 900, signingDate: new Date(clock()) })
    return formatUrl(presigned).replace('https://', '')
  }
}
