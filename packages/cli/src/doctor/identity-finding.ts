import type { StsAnswer } from './ask-sts.ts'
import type { Finding } from './finding.ts'

/**
 * What AWS STS says of credentials that are not good. Not AccessDenied: who one is may be asked by everybody, so it comes
 * from what stands before AWS STS, such as a VPC endpoint with a policy.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
const CREDENTIALS_REFUSED: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
])

/** Who signs, if AWS STS says so. */
export function identityFinding({ arn, error }: StsAnswer): Finding {
  if (arn !== undefined) return { check: 'identity', verdict: 'ok', seen: arn }
  if (error !== undefined && CREDENTIALS_REFUSED.has(error.name)) {
    return {
      check: 'identity',
      verdict: 'wrong',
      seen: `AWS STS does not take these credentials: ${error.message}`,
      remedies: ['Renew them at their source; what the database does not know of them it refuses as well.'],
    }
  }
  return {
    check: 'identity',
    verdict: 'unknown',
    seen: `AWS STS could not be asked (${error === undefined ? 'it gave no name' : why(error)}); the login does not need it`,
  }
}

/** Who answers in place of AWS STS is known by the status alone: the AWS SDK then speaks of XML, at length. */
function why(error: Error): string {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode
  const [said] = error.message.split('\n', 1)
  return status === undefined ? `${said}` : `HTTP ${status}: ${said}`
}
