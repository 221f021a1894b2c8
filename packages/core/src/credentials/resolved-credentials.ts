import type { AwsCredentialIdentity } from '@smithy/types'
import { AuroraIamError } from '../errors.ts'
import { describe } from '../util/validate.ts'
import { reasonSuffix } from './provider-failure.ts'

/** One answer of a credential source. */
export interface ResolvedCredentials {
  readonly credentials: AwsCredentialIdentity
  /** When they end, in epoch milliseconds; Infinity when they do not say. */
  readonly expiresMs: number
  /** When they ended by their issuer's word, if the AWS SDK has pushed that forward ("static stability"). */
  readonly endedMs: number | undefined
  /** Tells two identities apart without being secret. */
  readonly identity: string
}

/**
 * What a credential source answered, whatever that is.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CREDENTIALS_INVALID`
 */
export function readCredentials(answer: unknown): ResolvedCredentials {
  if (typeof answer !== 'object' || answer === null)
    throw invalid(`gave ${typeof answer === 'string' ? 'a string' : describe(answer)}, not credentials`)
  try {
    return readFields(answer)
  } catch (cause) {
    if (cause instanceof AuroraIamError) throw cause
    throw invalid(`gave credentials that cannot be read${reasonSuffix(cause)}`, cause)
  }
}

function readFields(answer: object): ResolvedCredentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiration, originalExpiration } =
    answer as Partial<AwsCredentialIdentity> & { readonly originalExpiration?: unknown }
  if (typeof accessKeyId !== 'string' || accessKeyId === '') throw invalid('gave no accessKeyId')
  if (typeof secretAccessKey !== 'string' || secretAccessKey === '') throw invalid('gave no secretAccessKey')
  if (sessionToken !== undefined && typeof sessionToken !== 'string') {
    throw invalid('gave a sessionToken that is not a string')
  }
  if (expiration !== undefined && !isValidDate(expiration)) {
    throw invalid('gave an expiration that is not a valid Date')
  }
  return {
    credentials: answer as AwsCredentialIdentity,
    expiresMs: expiration?.getTime() ?? Number.POSITIVE_INFINITY,
    endedMs: isValidDate(originalExpiration) ? originalExpiration.getTime() : undefined,
    // An access key id belongs to one identity, and temporary ones to one session of it.
    identity: accessKeyId,
  }
}

/** Whether `value` is a Date that says a time. */
export function isValidDate(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime())
}

function invalid(what: string, cause?: unknown): AuroraIamError {
  return new AuroraIamError('ERR_AURORA_IAM_CREDENTIALS_INVALID', `credentials: the source ${what}.`, {
    cause,
    option: 'credentials',
  })
}
