import type { AwsCredentialIdentity } from '@smithy/types'
import { sdkExports } from '../util/sdk-exports.ts'

/** Everything that goes into a token. */
export interface SigningInput {
  readonly hostname: string
  readonly port: number
  readonly username: string
  readonly region: string
  readonly credentials: AwsCredentialIdentity
}

/** Returns the string of a new token. */
export type Sign = (input: SigningInput) => Promise<string>

/** Lifetime of a token in seconds, the only one that the database accepts. */
const TOKEN_LIFE_S = 900

/** Signs now, with the RDS signer of AWS. It is loaded with the first token: loading takes longer than signing. */
export const sign: Sign = async (input) => {
  const { Signer } = await sdkExports(import('@aws-sdk/rds-signer'))
  return new Signer(input).getAuthToken()
}

/**
 * Returns a signer by another clock, for tests. The RDS signer of AWS takes the time of the machine, so this makes the
 * presign call of it with a date. A test holds the tokens of both equal to the letter.
 *
 * @param clock - returns epoch milliseconds
 * @see https://github.com/aws/aws-sdk-js-v3/tree/main/packages/rds-signer
 */
export function signAt(clock: () => number): Sign {
  return async ({ hostname, port, username, region, credentials }) => {
    const [{ SignatureV4 }, { Sha256 }, { HttpRequest, buildQueryString }] = await Promise.all([
      sdkExports(import('@smithy/signature-v4')),
      sdkExports(import('@smithy/core/checksum')),
      sdkExports(import('@smithy/core/protocols')),
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
