import type { CredentialCache } from '../credentials/credential-cache.ts'
import { reasonSuffix } from '../credentials/provider-failure.ts'
import { isValidDate } from '../credentials/resolved-credentials.ts'
import { publish } from '../diagnostics.ts'
import { configuredRegion, regionUnknown } from '../endpoint/configured-region.ts'
import type { ConnectionTarget, TokenTarget } from '../endpoint/connection-target.ts'
import { AuroraIamError } from '../errors.ts'
import { type Limits, withTimeout } from '../util/abortable.ts'
import { describe } from '../util/describe.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'
import { AuthToken } from './auth-token.ts'
import type { Sign } from './sign.ts'
import type { IssuedToken } from './token-cache.ts'

/**
 * Function that returns tokens in place of the AWS signer, such as those of a sidecar or a vault. A string is used
 * until the expiry in its own `X-Amz-Date` and `X-Amz-Expires`. One without these is used for one connection.
 */
export type TokenProvider = (
  target: TokenTarget & { readonly region: string | undefined },
) => string | AuthToken | Promise<string | AuthToken>

/** Function that issues a new token for a target. */
export type TokenSource = (target: ConnectionTarget) => Promise<IssuedToken>

/** Returns a source that signs with AWS credentials. They are resolved again for each token. */
export function signingTokenSource(options: {
  credentials: CredentialCache
  sign: Sign
  profile: string | undefined
  limits: Limits
}): TokenSource {
  return async (target) => {
    // Before the credentials: a role is assumed in the partition of the database.
    const region =
      target.region ??
      (await withTimeout(
        () => configuredRegion(options.profile, options.limits.timeoutMs),
        options.limits,
        () =>
          regionUnknown(
            `the configuration of the AWS SDK did not answer within ${options.limits.timeoutMs} ms`,
          ),
      ))
    const { credentials, expiresMs, identity } = await options.credentials.resolve(region)
    const { hostname, port, username } = target
    try {
      const value = await options.sign({ hostname, port, username, region, credentials })
      return { value, identity, credentialsExpireMs: expiresMs, expiresMs: undefined }
    } catch (cause) {
      throw tokenFailed('the AWS signer failed', cause)
    }
  }
}

/** Returns a source that calls the caller's provider, for a limited time. */
export function providedTokenSource(provider: TokenProvider, limits: Limits): TokenSource {
  return async ({ hostname, port, username, region }) => {
    try {
      const call = async () => provider({ hostname, port, username, region })
      return readToken(
        await withTimeout(call, limits, () =>
          tokenFailed(
            `tokenProvider did not answer within ${limits.timeoutMs} ms (\`credentialsTimeoutMs\`)`,
          ),
        ),
      )
    } catch (cause) {
      throw cause instanceof AuroraIamError ? cause : tokenFailed('tokenProvider failed', cause)
    }
  }
}

function readToken(answer: unknown): IssuedToken {
  const value: unknown = answer instanceof AuthToken ? answer.value : answer
  if (typeof value !== 'string' || value === '') {
    throw tokenFailed(`tokenProvider returned ${describe(value)}, not a token`)
  }
  const issued = { value, identity: undefined, credentialsExpireMs: Number.POSITIVE_INFINITY }
  if (!(answer instanceof AuthToken)) return { ...issued, expiresMs: undefined }
  const { expiresAt } = answer
  if (!isValidDate(expiresAt))
    throw tokenFailed('tokenProvider returned one whose expiresAt is no valid Date')
  return { ...issued, expiresMs: expiresAt.getTime() }
}

/** Returns `source` with a report of each new token, and of each failure, on the diagnostics channels. */
export function reportingTokenSource(source: TokenSource, onSigned: () => void): TokenSource {
  return async (target) => {
    const startedAt = monotonicMs()
    const { hostname, port, username, region } = target
    const event = () => ({ hostname, port, username, region, durationMs: monotonicMs() - startedAt })
    try {
      const issued = await source(target)
      onSigned()
      publish('token', event)
      return issued
    } catch (error) {
      publish('token-failed', () => ({ ...event(), error: error as Error }))
      throw error
    }
  }
}

function tokenFailed(what: string, cause?: unknown): AuroraIamError {
  return new AuroraIamError('ERR_AURORA_IAM_TOKEN_FAILED', `No token: ${what}${reasonSuffix(cause)}.`, {
    cause,
  })
}
