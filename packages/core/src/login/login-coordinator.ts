import type { Permit, RateLimiter } from '@aurora-iam/rate-limit'
import type { AdapterIam, LoginOptions } from '../adapter-iam.ts'
import type { AuroraIamStats } from '../aurora-iam.ts'
import { Credentials } from '../credentials/credential-cache.ts'
import { RefreshBackoff } from '../credentials/refresh-backoff.ts'
import { type ConnectFailedEvent, type EndpointEvent, publish } from '../diagnostics.ts'
import {
  type Address,
  type ConnectionTarget,
  type DriverAddress,
  resolveTarget,
  resolveTokenTarget,
  type TokenTarget,
} from '../endpoint/connection-target.ts'
import { addressKey, tokenKey } from '../endpoint/target-key.ts'
import { AuroraIamError } from '../errors.ts'
import { Lifetimes } from '../lifetime/lifetimes.ts'
import type { PoolDriver, PoolLifetime } from '../lifetime/pool-lifetime.ts'
import { type AuroraIamOptions, assertOptions } from '../options.ts'
import { AddressWatch } from '../permit/address-watch.ts'
import { abortedError, closed, EndpointLimiters, type PermitWait } from '../permit/endpoint-limiters.ts'
import { currentLane } from '../permit/lane.ts'
import { CREDENTIALS_TIMEOUT_MS, LONGEST_TIMER_MS, REFRESH_BEFORE_MS, TCP_TIMEOUT_MS } from '../timings.ts'
import { type TlsPolicy, tlsPolicy } from '../tls/tls-policy.ts'
import type { AuthToken } from '../token/auth-token.ts'
import { sign, signAt } from '../token/sign.ts'
import { type CachedToken, TokenCache } from '../token/token-cache.ts'
import { readTokenClaims } from '../token/token-claims.ts'
import { providedTokenSource, reportingTokenSource, signingTokenSource } from '../token/token-source.ts'
import { raceAbort } from '../util/abortable.ts'
import { ownProperties } from '../util/own-properties.ts'
import { tokenNotRequestedHint } from './access-denied-hint.ts'
import { LoginAttempt, type LoginOwner } from './login-attempt.ts'
import { LoginRetry } from './login-retry.ts'
import { LoginStats } from './login-stats.ts'
import { setCause } from './set-cause.ts'
import { type WriterCheck, writerCheckFor } from './writer-check.ts'

/** The steps of a login in their order: a token, a permit, the attempt, and what its outcome changes. */
export class LoginCoordinator implements AdapterIam, LoginOwner {
  readonly enabled: boolean
  readonly longestWaitMs: number
  readonly tcpTimeoutMs: number
  readonly retryRejectedLogins: boolean
  // Private: they may hold the secret key, which must not show when this object is printed.
  readonly #options: AuroraIamOptions
  readonly #credentials: Credentials
  readonly #tokens: TokenCache
  readonly #limiters: EndpointLimiters
  readonly #addresses = new AddressWatch()
  readonly #loginRetry = new LoginRetry()
  readonly #record: LoginStats
  readonly #lifetimes: Lifetimes
  readonly #closing = new AbortController()
  readonly #closeListeners = new Set<(error: AuroraIamError) => void>()
  readonly #refreshBackoff = new RefreshBackoff()
  #tokensSigned = 0

  constructor(given: AuroraIamOptions) {
    const options = ownProperties(given)
    assertOptions(options)
    this.#options = options
    this.enabled = options.enabled ?? true
    this.retryRejectedLogins = options.retryRejectedLogins ?? false
    const clock = options.clock ?? Date.now
    this.#record = new LoginStats(clock)
    const timeoutMs = options.credentialsTimeoutMs ?? CREDENTIALS_TIMEOUT_MS
    this.#limiters = new EndpointLimiters(options, this.#closing.signal)
    this.#lifetimes = new Lifetimes(options, (endpoint) => this.#limiters.stats()[endpoint])
    // Credentials in their last minutes are requested twice, and the Region once.
    this.longestWaitMs = Math.min(this.#limiters.maxWaitMs + 3 * timeoutMs, LONGEST_TIMER_MS)
    this.tcpTimeoutMs = options.tcpTimeoutMs ?? TCP_TIMEOUT_MS
    this.#credentials = new Credentials({
      source: options.credentials,
      profile: options.profile,
      timeoutMs,
      closing: this.#closing.signal,
      clock,
    })
    const limits = { timeoutMs, signal: this.#closing.signal }
    const source = options.tokenProvider
      ? providedTokenSource(options.tokenProvider, limits)
      : signingTokenSource({
          credentials: this.#credentials,
          sign: options.clock ? signAt(options.clock) : sign,
          profile: options.profile,
          limits,
        })
    this.#tokens = new TokenCache({
      issue: reportingTokenSource(source, () => this.#tokensSigned++),
      identity: () => this.#credentials.identity,
      refreshBeforeMs: options.refreshBeforeMs ?? REFRESH_BEFORE_MS,
      clock,
    })
  }

  driverTimeoutMs(connectTimeoutMs: number): number {
    return connectTimeoutMs === 0 ? 0 : Math.min(connectTimeoutMs + this.longestWaitMs, LONGEST_TIMER_MS)
  }

  async token(target: TokenTarget): Promise<AuthToken> {
    return (await this.getToken(resolveTokenTarget(target, this.#options))).token
  }

  stats(): AuroraIamStats {
    return {
      tokensSigned: this.#tokensSigned,
      credentialsResolved: this.#credentials.resolutions,
      ...this.#record.stats(),
      rateLimits: this.#limiters.stats(),
      pools: this.#lifetimes.stats(),
    }
  }

  close(): void {
    for (const listener of [...this.#closeListeners]) {
      try {
        listener(closed())
      } catch (error) {
        // A callback of the caller threw. The others are called, and the error is thrown as an event's would be.
        process.nextTick(() => {
          throw error
        })
      }
    }
    this.#closing.abort(closed())
    this.#limiters.close()
    this.#lifetimes.close()
    this.#tokens.clear()
  }

  onClose(listener: (error: AuroraIamError) => void): () => void {
    this.#closeListeners.add(listener)
    return () => this.#closeListeners.delete(listener)
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

  login(target: ConnectionTarget, options: LoginOptions = {}): Promise<LoginAttempt> {
    return this.#logIn(target, options, false)
  }

  loginAgain(target: ConnectionTarget, options: LoginOptions = {}): Promise<LoginAttempt> {
    return this.#logIn(target, options, true)
  }

  reportRefusal(target: ConnectionTarget, error: Error): void {
    this.#reportFailure({ target, stage: 'login', error, since: performance.now(), permitId: undefined })
  }

  retryRefused<T>(open: () => Promise<T>): Promise<T> {
    return this.#loginRetry.retry(open)
  }

  getToken(target: ConnectionTarget, signal?: AbortSignal): CachedToken | Promise<CachedToken> {
    if (!this.#closing.signal.aborted && !signal?.aborted) {
      const cached = this.#tokens.usable(target)
      if (cached) return cached
    }
    return this.#waitForToken(target, signal)
  }

  async #waitForToken(target: ConnectionTarget, signal: AbortSignal | undefined): Promise<CachedToken> {
    try {
      return await this.#untilAborted(() => this.#tokens.get(target), signal)
    } catch (error) {
      // All callers that waited for this token have the same error.
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

  async #logIn(
    target: ConnectionTarget,
    { signal, lane = currentLane() }: LoginOptions,
    isOpen: boolean,
  ): Promise<LoginAttempt> {
    const requestedAt = performance.now()
    let stage: 'token' | 'permit' = 'token'
    try {
      // Before the permit, so that no permit is spent on a connection that has no token.
      const ready = this.getToken(target, signal)
      const cached = ready instanceof Promise ? await ready : ready
      const failover = isOpen ? undefined : this.#lifetimes.waitForWriter(target)
      if (failover) await this.#untilAborted(() => failover, signal)
      stage = 'permit'
      const pass = await this.#admit(target, { signal, lane, group: target }, isOpen)
      return new LoginAttempt({ owner: this, target, lane, cached, requestedAt, ...pass })
    } catch (cause) {
      const error = cause as Error
      this.#reportFailure({ target, stage, error, since: requestedAt, permitId: undefined })
      throw error
    }
  }

  /** Waits for a permit, or for room at an address that does not answer, and asks where to dial. */
  async #admit(
    target: ConnectionTarget,
    wait: PermitWait,
    isOpen: boolean,
  ): Promise<{ permit: Permit | undefined; address: Address | undefined; isPermitMissing: boolean }> {
    const limiter = this.#limiters.limiterOf(target)
    let address = isOpen ? undefined : target.fixedAddress
    if (!limiter)
      return { permit: undefined, address: isOpen ? undefined : target.dial(), isPermitMissing: false }
    let permit: Permit | undefined
    try {
      for (;;) {
        if (address && this.#addresses.isSuspect(addressKey(address))) {
          permit?.cancel()
          permit = undefined
          await this.#enter(address, limiter, wait.signal)
          if (this.#addresses.isSuspect(addressKey(address)))
            return { permit, address, isPermitMissing: true }
        } else if (permit && (address || isOpen)) return { permit, address, isPermitMissing: false }
        else if (permit) address = target.dial()
        else permit = await this.#limiters.acquire(limiter, target, wait)
      }
    } catch (error) {
      permit?.cancel()
      throw error
    }
  }

  async #enter(address: Address, limiter: RateLimiter, signal: AbortSignal | undefined): Promise<void> {
    const closing = this.#closing.signal
    try {
      await this.#addresses.enter(addressKey(address), limiter, {
        timeoutMs: this.#limiters.maxWaitMs,
        signals: signal ? [closing, signal] : [closing],
      })
    } catch (error) {
      throw signal?.aborted && !closing.aborted ? abortedError(signal.reason) : error
    }
  }

  async acquireAgain({ target, lane }: LoginAttempt): Promise<Permit | undefined> {
    const limiter = this.#limiters.limiterOf(target)
    return limiter && this.#limiters.acquireNext(limiter, target, { lane, group: target })
  }

  connecting(attempt: LoginAttempt): void {
    this.#addresses.begin(addressKey(attempt.dial()), attempt)
  }

  answered(attempt: LoginAttempt): void {
    this.#addresses.answered(addressKey(attempt.dial()), attempt)
  }

  unanswered(attempt: LoginAttempt, isFault: boolean): void {
    this.#addresses.ended(addressKey(attempt.dial()), attempt, isFault)
  }

  unused(attempt: LoginAttempt): void {
    this.#addresses.leave(addressKey(attempt.dial()))
  }

  tokenRejected(
    { target, address = target.fixedAddress }: LoginAttempt,
    { error, token, isNew }: Parameters<LoginOwner['tokenRejected']>[1],
  ): void {
    if (isNew) {
      this.#record.explain(error, {
        target,
        dialled: address,
        acceptedAt: token.signer.acceptedAt,
        credentials: this.#credentials.evidence(),
        claims: this.#options.tokenProvider ? readTokenClaims(token.token.value) : undefined,
      })
    } else this.#loginRetry.recordRejection(error, tokenKey(target), token)
    if (this.#tokens.evict(target, token) && this.#refreshBackoff.tryStart(target))
      this.#credentials.invalidate()
  }

  tokenNotRequested({ target }: LoginAttempt, error: Error): void {
    setCause(error, tokenNotRequestedHint(target))
  }

  succeeded({ target, startedAt, permitId }: LoginAttempt): void {
    this.#refreshBackoff.reset(target)
    this.#record.opened()
    publish('connect', () => ({ ...endpointOf(target), permitId, durationMs: performance.now() - startedAt }))
  }

  failed({ target, startedAt, permitId }: LoginAttempt, error: Error): void {
    this.#reportFailure({ target, stage: 'login', error, since: startedAt, permitId })
  }

  /** Reports a failed login once, to the statistics and to the channel. */
  #reportFailure({ target, stage, error, since, permitId }: FailedLogin): void {
    this.#record.failed(error)
    publish('connect-failed', () => ({
      ...endpointOf(target),
      permitId,
      stage,
      error,
      durationMs: performance.now() - since,
    }))
  }
}

/** Failed login, with what the statistics and the channel report of it. */
interface FailedLogin {
  readonly target: ConnectionTarget
  readonly stage: ConnectFailedEvent['stage']
  readonly error: Error
  /** When it began, on the monotonic clock. */
  readonly since: number
  readonly permitId: string | undefined
}

function endpointOf({ hostname, port, username }: ConnectionTarget): EndpointEvent {
  return { hostname, port, username }
}
