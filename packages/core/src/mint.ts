import { AuthToken } from './auth-token.ts'
import type { Credentials } from './credentials.ts'
import { publish } from './diagnostics.ts'
import { AuroraIamError, describe } from './errors.ts'
import type { TokenProvider } from './options.ts'
import { configuredRegion, regionUnknown } from './region.ts'
import type { Sign } from './sign.ts'
import { sayingOf } from './source-failure.ts'
import type { ConnectionTarget } from './target.ts'
import type { MintedToken } from './tokens.ts'
import { type Limits, withTimeout } from './with-timeout.ts'

/** Makes one new token for a target. */
export type Mint = (target: ConnectionTarget) => Promise<MintedToken>

/** Mints with AWS credentials, which are resolved anew for each token. */
export function signingMint(options: {
  credentials: Credentials
  sign: Sign
  profile: string | undefined
  limits: Limits
}): Mint {
  return async (target) => {
    const { credentials, expiresMs, identity } = await options.credentials.resolve()
    const region =
      target.region ??
      (await withTimeout(
        () => configuredRegion(options.profile),
        options.limits,
        () =>
          regionUnknown(
            `the configuration of the AWS SDK did not answer within ${options.limits.timeoutMs} ms`,
          ),
      ))
    const { hostname, port, username } = target
    try {
      const value = await options.sign({ hostname, port, username, region, credentials })
      return { value, identity, credentialsExpireMs: expiresMs, expiresMs: undefined }
    } catch (cause) {
      throw tokenFailed('the AWS signer failed', cause)
    }
  }
}

/** Mints with the caller's own provider, in bounded time. */
export function providedMint(provider: TokenProvider, limits: Limits): Mint {
  return async ({ hostname, port, username, region }) => {
    let answer: unknown
    try {
      const call = async () => provider({ hostname, port, username, region })
      answer = await withTimeout(call, limits, () =>
        tokenFailed(`tokenProvider did not answer within ${limits.timeoutMs} ms (\`credentialsTimeoutMs\`)`),
      )
    } catch (cause) {
      throw cause instanceof AuroraIamError ? cause : tokenFailed('tokenProvider failed', cause)
    }
    const minted = { identity: undefined, credentialsExpireMs: Number.POSITIVE_INFINITY }
    if (answer instanceof AuthToken) {
      const expiresMs = answer.expiresAt.getTime()
      if (Number.isNaN(expiresMs))
        throw tokenFailed('tokenProvider gave one whose expiresAt is no valid Date')
      return { ...minted, value: answer.value, expiresMs }
    }
    if (typeof answer === 'string' && answer !== '') return { ...minted, value: answer, expiresMs: undefined }
    // Never shown: what it gave may be a secret in the wrong wrapping.
    const got = typeof answer === 'string' ? 'an empty string' : describe(answer)
    throw tokenFailed(`tokenProvider gave ${got}, not a token`)
  }
}

/** Reports each token that is made on the diagnostics channel. */
export function reportingMint(mint: Mint, onSigned: () => void): Mint {
  return async (target) => {
    const startedAt = performance.now()
    const minted = await mint(target)
    onSigned()
    const { hostname, port, username, region } = target
    publish('token', () => ({ hostname, port, username, region, durationMs: performance.now() - startedAt }))
    return minted
  }
}

function tokenFailed(what: string, cause?: unknown): AuroraIamError {
  const saying = sayingOf(cause)
  const why = saying === undefined ? '' : ` (${saying})`
  return new AuroraIamError('ERR_AURORA_IAM_TOKEN_FAILED', `No token: ${what}${why}.`, { cause })
}
