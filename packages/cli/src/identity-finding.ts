import type { StsAnswer } from './ask-sts.ts'
import type { Finding } from './finding.ts'

/** Who signs, if AWS STS says so. */
export function identityFinding({ arn, error }: StsAnswer): Finding {
  if (arn !== undefined) return { check: 'identity', verdict: 'ok', seen: arn }
  const why = error?.message ?? 'it gave no name'
  if (isRefusal(error)) {
    return {
      check: 'identity',
      verdict: 'wrong',
      seen: `AWS STS does not take these credentials: ${why}`,
      remedies: ['Renew them at their source; what the database does not know of them it refuses as well.'],
    }
  }
  return {
    check: 'identity',
    verdict: 'unknown',
    seen: `AWS STS could not be asked (${why}); the login does not need it`,
  }
}

/** Whether STS itself said no, rather than that it could not be reached. */
function isRefusal(error: Error | undefined): boolean {
  const { $metadata } = (error ?? {}) as { $metadata?: { httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode
  return status !== undefined && status >= 400 && status < 500
}
