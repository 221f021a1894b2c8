import type { CredentialIdentity } from './iam/principals.ts'

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
