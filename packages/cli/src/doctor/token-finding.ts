import type { AuroraIam } from '@aurora-iam/core'
import type { ConnectionTarget } from '@aurora-iam/core/adapter'
import type { Finding } from './finding.ts'

/** Whether the AWS credentials are to be had, and sign. */
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
    return { check: 'token', verdict: 'wrong', seen: (error as Error).message }
  }
}

/**
 * Access key, day, Region, service.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
function credentialScope(token: string): readonly string[] {
  return new URL(`https://${token}`).searchParams.get('X-Amz-Credential')?.split('/') ?? []
}
