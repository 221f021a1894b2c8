import type { AuroraIam, AuroraIamError } from '@aurora-iam/core'
import type { ConnectionTarget } from '@aurora-iam/core/adapter'
import { splitMessage } from '../output/option-words.ts'
import type { Finding } from './finding.ts'

/** Remedies for messages of the library that have none, by code. */
const REMEDIES: Readonly<Record<string, string>> = {
  ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE:
    'Give --profile, or set AWS_PROFILE or AWS_ACCESS_KEY_ID; for SSO: `aws sso login`.',
}

/** Returns the finding about the AWS credentials and a token that they sign. */
export async function tokenFinding(
  iam: AuroraIam,
  { hostname, port, username }: ConnectionTarget,
): Promise<Finding> {
  try {
    const { value, expiresAt } = await iam.token({ hostname, port, username })
    const [accessKeyId = '', , region] = credentialScope(value)
    return {
      check: 'token',
      verdict: 'ok',
      seen: `${value.length} characters, signed by the access key that ends in ${accessKeyId.slice(-4)} for ${region}, good until ${expiresAt.toISOString()}`,
    }
  } catch (error) {
    const { code, message } = error as AuroraIamError
    const { problem, remedies } = splitMessage(message)
    const own = REMEDIES[code]
    return { check: 'token', verdict: 'fail', seen: problem, remedies: own ? [own] : remedies }
  }
}

/**
 * Returns access key, day, Region and service.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
function credentialScope(token: string): readonly string[] {
  return new URL(`https://${token}`).searchParams.get('X-Amz-Credential')?.split('/') ?? []
}
