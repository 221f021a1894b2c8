import type { StsAnswer } from './ask-sts.ts'
import type { Finding } from './finding.ts'

/**
 * Errors of AWS STS that mean bad credentials. AccessDenied is not among them. The call needs no permission, so that
 * error comes from a VPC endpoint with a policy, or from another system in front of AWS STS.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
const CREDENTIALS_DENIED: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
])

/** Returns the finding about the identity that signs, which AWS STS reports. */
export function identityFinding({ arn, error }: StsAnswer): Finding {
  if (arn !== undefined) return { check: 'identity', verdict: 'ok', seen: arn }
  if (error !== undefined && CREDENTIALS_DENIED.has(error.name)) {
    return {
      check: 'identity',
      verdict: 'fail',
      seen: `AWS STS rejects these credentials: ${error.message}`,
      remedies: [
        'Renew them at their source: credentials that AWS STS rejects sign no token that is accepted.',
      ],
    }
  }
  return {
    check: 'identity',
    verdict: 'unknown',
    seen: `AWS STS could not be asked (${error === undefined ? 'it gave no name' : reason(error)}); the login does not need it`,
  }
}

/** Returns the reason. With a proxy in place of AWS STS the status says more: the SDK's message is then about XML. */
function reason(error: Error): string {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode
  const [line] = error.message.split('\n', 1)
  return status === undefined ? `${line}` : `HTTP ${status}: ${line}`
}
