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

/** Function that answers a request. */
export type Endpoint = (request: EndpointRequest) => EndpointReply

/** Lifetime of credentials without an expiration: real endpoints always return one. */
const ROLE_LIFETIME_MS = 6 * 3_600_000

/** Returns the fields that both metadata services have in common. Times are in whole seconds. */
export function credentialsAsAws(identity: CredentialIdentity): Record<string, string> {
  const expiration = identity.expiration ?? new Date(Date.now() + ROLE_LIFETIME_MS)
  return {
    AccessKeyId: identity.accessKeyId,
    SecretAccessKey: identity.secretAccessKey,
    Token: identity.sessionToken ?? '',
    Expiration: expiration.toISOString().replace(/\.\d+Z$/, 'Z'),
  }
}
