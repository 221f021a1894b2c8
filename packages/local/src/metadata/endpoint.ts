import type { CredentialIdentity } from '../iam/principals.ts'

/** Request to an endpoint. Header names are in lower case. */
export interface EndpointRequest {
  readonly method: string
  readonly path: string
  readonly headers: NodeJS.Dict<string | string[]>
}

/** The answer to a request. */
export interface EndpointReply {
  readonly status: number
  readonly body: string
  readonly headers?: Record<string, string>
}

/** Answers requests at once. */
export type Endpoint = (request: EndpointRequest) => EndpointReply

/** Real endpoints always say when credentials end; these roles last six hours. */
const ROLE_LIFETIME_MS = 6 * 3_600_000

/** Returns the fields that the metadata services of EC2 and of containers have in common; times in whole seconds. */
export function credentialsAsAws(identity: CredentialIdentity): Record<string, string> {
  const expiration = identity.expiration ?? new Date(Date.now() + ROLE_LIFETIME_MS)
  return {
    AccessKeyId: identity.accessKeyId,
    SecretAccessKey: identity.secretAccessKey,
    Token: identity.sessionToken ?? '',
    Expiration: expiration.toISOString().replace(/\.\d+Z$/, 'Z'),
  }
}
