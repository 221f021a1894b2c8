import { CredentialCache, type CredentialsEvidence } from '../credentials/credential-cache.ts'
import { RefreshBackoff } from '../credentials/refresh-backoff.ts'
import { type ConnectionTarget, resolveTokenTarget, type TokenTarget } from '../endpoint/connection-target.ts'
import { parseRdsHostname } from '../endpoint/rds-hostname.ts'
import { AuroraIamError } from '../errors.ts'
import type { AuroraIamOptions } from '../options.ts'
import { untilAborted } from '../permit/until-aborted.ts'
import { CREDENTIALS_TIMEOUT_MS, REFRESH_BEFORE_MS } from '../timings.ts'
import type { AuthToken } from './auth-token.ts'
import { sign, signAt } from './sign.ts'
import { type CachedToken, TokenCache } from './token-cache.ts'
import { readTokenClaims, type TokenClaims } from './token-claims.ts'
import { providedTokenSource, reportingTokenSource, signingTokenSource } from './token-source.ts'

const MAX_TARGETS = 100

/** Tokens for the logins of one AuroraIam, and the credentials that sign them. */
export class LoginTokens {
  /** Longest wait for a token, in milliseconds. */
  readonly longestWaitMs: number
  // Private: they may hold the secret key, which must not show when this object is printed.
  readonly #options: AuroraIamOptions
  readonly #credentials: CredentialCache
  readonly #cache: TokenCache
  readonly #closing: AbortSignal
  readonly #refreshBackoff = new RefreshBackoff()
  /** The target of the last token, by the host name that the caller gave. */
  readonly #targets = new Map<string, ConnectionTarget>()
  #signed = 0

  /** @param closing - ends every wait for a token */
  constructor(options: AuroraIamOptions, closing: AbortSignal) {
    this.#options = options
    this.#closing = closing
    const { clock = Date.now, profile, tokenProvider } = options
    const timeoutMs = options.credentialsTimeoutMs ?? CREDENTIALS_TIMEOUT_MS
    // Credentials in their last minutes are requested twice, and the Region once.
    this.longestWaitMs = 3 * timeoutMs
    this.#credentials = new CredentialCache({
      source: options.credentials,
      profile,
      timeoutMs,
      closing,
      clock,
    })
    const limits = { timeoutMs, signal: closing }
    const source = tokenProvider
      ? providedTokenSource(tokenProvider, limits)
      : signingTokenSource({
          credentials: this.#credentials,
          sign: options.clock ? signAt(options.clock) : sign,
          profile,
          limits,
        })
    this.#cache = new TokenCache({
      issue: reportingTokenSource(source, () => this.#signed++),
      identity: () => this.#credentials.identity,
      refreshBeforeMs: options.refreshBeforeMs ?? REFRESH_BEFORE_MS,
      clock,
    })
  }

  /** Count of the tokens that were signed or provided. */
  get signed(): number {
    return this.#signed
  }

  /** Count of the calls of the credential provider. */
  get credentialsResolved(): number {
    return this.#credentials.resolutions
  }

  /** Returns a token for `target`, without a login. */
  async token(target: TokenTarget): Promise<AuthToken> {
    const ready = this.get(this.#resolve(target))
    return (ready instanceof Promise ? await ready : ready).token
  }

  /** Returns the cached token if the database accepts it now. */
  usable(target: ConnectionTarget): CachedToken | undefined {
    return this.#cache.usable(target)
  }

  /**
   * Returns a token that the database accepts now, or a promise of one where none is cached.
   *
   * @throws {@link AuroraIamError} a new object for each call
   */
  get(target: ConnectionTarget, signal?: AbortSignal): CachedToken | Promise<CachedToken> {
    const cached = signal?.aborted ? undefined : this.#cache.usable(target)
    return cached ?? this.#wait(target, signal)
  }

  /** Records that the database accepted a token of `target`. */
  accepted(target: ConnectionTarget): void {
    this.#refreshBackoff.reset(target)
    this.#credentials.accepted(target.region)
  }

  /** Evicts a token that the database rejected. The credentials are refreshed, after pauses that double. */
  rejected(target: ConnectionTarget, token: CachedToken): void {
    if (this.#cache.evict(target, token) && this.#refreshBackoff.tryStart(target))
      this.#credentials.invalidate()
  }

  /** Returns what is known of the signer of `token`. */
  evidence({ token }: CachedToken): {
    readonly credentials: CredentialsEvidence | undefined
    readonly claims: TokenClaims | undefined
  } {
    return {
      credentials: this.#credentials.evidence(),
      claims: this.#options.tokenProvider ? readTokenClaims(token.value) : undefined,
    }
  }

  clear(): void {
    this.#cache.clear()
  }

  async #wait(target: ConnectionTarget, signal: AbortSignal | undefined): Promise<CachedToken> {
    try {
      return await untilAborted(() => this.#cache.renew(target), this.#closing, signal)
    } catch (error) {
      // All callers that waited for this token have the same error.
      throw error instanceof AuroraIamError ? error.copy() : error
    }
  }

  /** Returns the resolved `target`. A program asks for the token of few targets, again and again. */
  #resolve({ hostname, port, username }: TokenTarget): ConnectionTarget {
    const known = this.#targets.get(hostname)
    if (known && known.port === port && known.username === username) return known
    const resolved = resolveTokenTarget({ hostname, port, username }, this.#options)
    // A Region of the environment may change.
    if (!hasFixedRegion(resolved, this.#options.region)) return resolved
    if (this.#targets.size >= MAX_TARGETS) this.#targets.clear()
    this.#targets.set(hostname, resolved)
    return resolved
  }
}

/** Returns whether the Region of a target is in its name or in the options. */
function hasFixedRegion({ hostname }: ConnectionTarget, region: string | undefined): boolean {
  return (region ?? parseRdsHostname(hostname)?.region) !== undefined
}
