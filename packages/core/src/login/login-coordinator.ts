import type { Permit } from '@aurora-iam/rate-limit'
import type { AdapterIam } from '../adapter-iam.ts'
import type { AuroraIamStats } from '../aurora-iam.ts'
import { Credentials } from '../credentials/credential-cache.ts'
import { RefreshBackoff } from '../credentials/refresh-backoff.ts'
import { publish } from '../diagnostics.ts'
import {
  type ConnectionTarget,
  type DriverAddress,
  resolveTarget,
  resolveTokenTarget,
  type TokenTarget,
} from '../endpoint/connection-target.ts'
import { tokenKey } from '../endpoint/target-key.ts'
import { AuroraIamError } from '../errors.ts'
import { Lifetimes } from '../lifetime/lifetimes.ts'
import type { PoolDriver, PoolLifetime } from '../lifetime/pool-lifetime.ts'
import { type AuroraIamOptions, assertOptions } from '../options.ts'
import { abortedError, closed, RateLimits } from '../permit/endpoint-limiters.ts'
import { CREDENTIALS_TIMEOUT_MS, REFRESH_BEFORE_MS } from '../timings.ts'
import { type TlsPolicy, tlsPolicy } from '../tls/tls-policy.ts'
import type { AuthToken } from '../token/auth-token.ts'
import { signAt } from '../token/sign.ts'
import { type CachedToken, TokenCache } from '../token/token-cache.ts'
import { readTokenClaims } from '../token/token-claims.ts'
import { providedTokenSource, reportingTokenSource, signingTokenSource } from '../token/token-source.ts'
import { raceAbort } from '../util/abortable.ts'
import { ownProperties } from '../util/own-properties.ts'
import { LoginAttempt, type LoginOwner } from './login-attempt.ts'
import { LoginRetry } from './login-retry.ts'
import { LoginStats } from './login-stats.ts'
import { type WriterCheck, writerCheckFor } from './writer-check.ts'

/** The steps of a login in their order: a token, a permit, the attempt, and what its outcome changes. */
export class LoginCoordinator implements AdapterIam, LoginOwner {
  readonly enabled: boolean
  readonly longestWaitMs: number
  // Private: they may hold the secret key, and whoever prints this object must not print that.
  readonly #options: AuroraIamOptions
  readonly #credentials: Credentials
  readonly #tokens: TokenCache
  readonly #rateLimits: RateLimits
  readonly #refusedLogins = new LoginRetry()
  readonly #record: LoginStats
  readonly #lifetimes: Lifetimes
  readonly #closing = new AbortController()
  readonly #refreshBackoff = new RefreshBackoff()
  #tokensSigned = 0

  constructor(given: AuroraIamOptions) {
    const options = ownProperties(given)
    assertOptions(options)
    this.#options = options
    this.enabled = options.enabled ?? true
    const clock = options.clock ?? Date.now
    this.#record = new LoginStats(clock)
    const timeoutMs = options.credentialsTimeoutMs ?? CREDENTIALS_TIMEOUT_MS
    this.#rateLimits = new RateLimits(options)
    this.#lifetimes = new Lifetimes(options, (endpoint) => this.#rateLimits.stats()[endpoint])
    // Credentials in their last minutes are asked for twice, and the Region once.
    this.longestWaitMs = this.#rateLimits.maxWaitMs + 3 * timeoutMs
    this.#credentials = new Credentials({
      source: options.credentials,
      profile: options.profile,
      timeoutMs,
      closing: this.#closing.signal,
      clock,
    })
    const limits = { timeoutMs, signal: this.#closing.signal }
    const mint = options.tokenProvider
      ? providedTokenSource(options.tokenProvider, limits)
      : signingTokenSource({
          credentials: this.#credentials,
          sign: signAt(clock),
          profile: options.profile,
          limits,
        })
    this.#tokens = new TokenCache({
      mint: reportingTokenSource(mint, () => this.#tokensSigned++),
      identity: () => this.#credentials.identity,
      refreshBeforeMs: options.refreshBeforeMs ?? REFRESH_BEFORE_MS,
      clock,
    })
  }

  async token(target: TokenTarget): Promise<AuthToken> {
    return (await this.getToken(resolveTokenTarget(target, this.#options))).token
  }

  stats(): AuroraIamStats {
    return {
      tokensSigned: this.#tokensSigned,
      credentialsResolved: this.#credentials.resolutions,
      ...this.#record.stats(),
      rateLimits: this.#rateLimits.stats(),
      pools: this.#lifetimes.stats(),
    }
  }

  close(): void {
    this.#closing.abort(closed())
    this.#rateLimits.close()
    this.#lifetimes.close()
    this.#tokens.clear()
  }

  resolve(address: DriverAddress, userOption = 'user'): ConnectionTarget {
    return resolveTarget(address, this.#options, { host: 'host', user: userOption })
  }

  tls(target: ConnectionTarget, ssl?: unknown): TlsPolicy {
    return tlsPolicy(target, this.#options.ca, ssl)
  }

  writerCheck(target: ConnectionTarget): WriterCheck | undefined {
    return this.#options.requireWriter ? writerCheckFor(target) : undefined
  }

  poolLifetime<Connection extends object>(
    target: ConnectionTarget,
    driver: PoolDriver<Connection>,
  ): PoolLifetime<Connection> {
    return this.#lifetimes.forPool(target, driver)
  }

  async login(target: ConnectionTarget, signal?: AbortSignal): Promise<LoginAttempt> {
    const startedAt = performance.now()
    let stage: 'token' | 'permit' = 'token'
    try {
      // Before the permit, so that a place is not spent on a connection that has nothing to say.
      const ready = await this.getToken(target, signal)
      const failover = this.#lifetimes.waitForWriter(target)
      if (failover) await this.#untilAborted(() => failover, signal)
      stage = 'permit'
      const waitingSince = performance.now()
      const permit = await this.#rateLimits.acquire(target, signal)
      const { hostname, port, username } = target
      publish('permit', () => ({ hostname, port, username, waitedMs: performance.now() - waitingSince }))
      return new LoginAttempt({ owner: this, target, permit, ready, askedAt: startedAt })
    } catch (cause) {
      const error = cause as Error
      this.failed(error)
      const { hostname, port, username } = target
      publish('connect-failed', () => ({
        hostname,
        port,
        username,
        stage,
        error,
        durationMs: performance.now() - startedAt,
      }))
      throw error
    }
  }

  async getToken(target: ConnectionTarget, signal?: AbortSignal): Promise<CachedToken> {
    try {
      return await this.#untilAborted(() => this.#tokens.get(target), signal)
    } catch (error) {
      // It is the error of all who waited for this token.
      throw error instanceof AuroraIamError ? error.copy() : error
    }
  }

  /** Returns the result of `work`, unless this AuroraIam is closed or `signal` is aborted first. */
  async #untilAborted<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const closing = this.#closing.signal
    try {
      return await raceAbort(work, signal ? [closing, signal] : [closing])
    } catch (error) {
      throw signal?.aborted && !closing.aborted ? abortedError(signal.reason) : error
    }
  }

  acquire(target: ConnectionTarget): Promise<Permit | undefined> {
    return this.#rateLimits.acquire(target, undefined)
  }

  retryRefused<T>(open: () => Promise<T>): Promise<T> {
    return this.#refusedLogins.retry(open)
  }

  tokenRefused({ error, target, dialled, token, isNew }: Parameters<LoginOwner['tokenRefused']>[0]): void {
    if (isNew) {
      this.#record.explain(error, {
        target,
        dialled,
        acceptedAt: token.signer.acceptedAt,
        credentials: this.#credentials.evidence(),
        claims: this.#options.tokenProvider ? readTokenClaims(token.token.value) : undefined,
      })
    }
    if (!isNew) this.#refusedLogins.note(error, tokenKey(target), token)
    if (this.#tokens.drop(target, token) && this.#refreshBackoff.begin(target)) this.#credentials.distrust()
  }

  opened(target: ConnectionTarget): void {
    this.#refreshBackoff.shorten(target)
    this.#record.opened()
  }

  failed(error: Error): void {
    this.#record.failed(error)
  }
}
