import type { CredentialIdentity } from '../iam/principals.ts'
import { credentialsAsAws, type Endpoint } from './endpoint.ts'

/**
 * Returns an endpoint that behaves as the container credentials endpoint of ECS and EKS Pod Identity:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
export function createContainerCredentials(
  source: () => CredentialIdentity,
  authorizationToken: string,
): Endpoint {
  return ({ method, headers }) => {
    if (method !== 'GET') return { status: 405, body: '' }
    if (headers.authorization !== authorizationToken) return { status: 401, body: '' }
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(credentialsAsAws(source())),
    }
  }
}
