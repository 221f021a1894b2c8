import type { AwsCredentialIdentity } from '@smithy/types'
import { AuroraIamError } from '../errors.ts'
import { describe } from '../util/describe.ts'
import { reasonSuffix } from './provider-failure.ts'

/** Credentials that a provider returned. */
export interface ResolvedCredentials {
  readonly credentials: AwsCredentialIdentity
  /** When they expire, in epoch milliseconds; Infinity if the provider did not name it. */
  readonly expiresMs: number
  /** The expiry that the provider named, if the AWS SDK has extended it ("static stability"). */
  readonly endedMs: number | undefined
  /** True if they have a session token: they expire, also without a named expiry. */
  readonly isTemporary: boolean
  /** Distinguishes two identities, and is not secret. */
  readonly identity: string
}

/**
 * Returns the credentials that a provider returned, checked.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CREDENTIALS_INVALID`
 */
export function readCredentials(answer: unknown): ResolvedCredentials {
  if (typeof answer !== 'object' || answer === null) throw invalid(`are ${describe(answer)}, not an object`)
  try {
    return readFields(answer)
  } catch (cause) {
    if (cause instanceof AuroraIamError) throw cause
    throw invalid(`cannot be read${reasonSuffix(cause)}`, cause)
  }
}

function readFields(answer: object): ResolvedCredentials {
  if (isOfSdkV2(answer)) {
    throw invalid(
      'are those of the AWS SDK 2, which are refreshed in place and have no `expiration`',
      undefined,
      'Leave `credentials` out for the default chain, or give a provider of @aws-sdk/credential-providers',
    )
  }
  const accessKeyId = read(answer, 'accessKeyId')
  const secretAccessKey = read(answer, 'secretAccessKey')
  const sessionToken = read(answer, 'sessionToken')
  const expiration = read(answer, 'expiration')
  const originalExpiration = read(answer, 'originalExpiration')
  assertText(accessKeyId, 'accessKeyId')
  assertText(secretAccessKey, 'secretAccessKey')
  if (sessionToken !== undefined && typeof sessionToken !== 'string') {
    throw invalid(`have a sessionToken that is ${describe(sessionToken)}, not a string`)
  }
  if (expiration !== undefined && !isValidDate(expiration)) {
    throw invalid(`have an expiration that is ${describe(expiration)}, not a valid Date`)
  }
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
  if (accessKeyId.startsWith('ASIA') && !sessionToken) {
    throw invalid(
      'have no sessionToken, and an access key that begins with ASIA is not accepted without one',
      undefined,
      'Give all three values (AWS_SESSION_TOKEN beside AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)',
    )
  }
  return {
    // Each is an own property, also where it is undefined: the signer must not read one of `Object.prototype`.
    credentials: { accessKeyId, secretAccessKey, sessionToken, expiration } as AwsCredentialIdentity,
    expiresMs: expiration?.getTime() ?? Number.POSITIVE_INFINITY,
    endedMs: isValidDate(originalExpiration) ? originalExpiration.getTime() : undefined,
    isTemporary: Boolean(sessionToken),
    // An access key id belongs to one identity, and temporary ones to one session of it.
    identity: accessKeyId,
  }
}

/** Reads a property of an object, of its class or of its Proxy, and none of `Object.prototype`. */
function read(answer: object, name: string): unknown {
  const isPolluted = Object.hasOwn(Object.prototype, name) && !isOwnOrInherited(answer, name)
  return isPolluted ? undefined : (answer as Record<string, unknown>)[name]
}

function isOwnOrInherited(answer: object, name: string): boolean {
  for (let owner = answer; owner && owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    if (Object.hasOwn(owner, name)) return true
  }
  return false
}

/** https://docs.aws.amazon.com/AWSJavaScriptSDK/latest/AWS/Credentials.html */
function isOfSdkV2(answer: object): boolean {
  return read(answer, 'expireTime') !== undefined || typeof read(answer, 'needsRefresh') === 'function'
}

function assertText(value: unknown, name: string): asserts value is string {
  if (typeof value === 'string' && value !== '') return
  const unset =
    value === undefined ? '. If it comes from an environment variable, the variable is not set' : ''
  throw invalid(`have no ${name}: it is ${describe(value)}${unset}`)
}

/** Returns true for a Date with a time. */
export function isValidDate(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime())
}

function invalid(problem: string, cause?: unknown, remedy?: string): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_CREDENTIALS_INVALID',
    `credentials: they ${problem}.${remedy === undefined ? '' : ` ${remedy}.`}`,
    { cause, option: 'credentials' },
  )
}
