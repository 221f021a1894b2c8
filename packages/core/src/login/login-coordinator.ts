import type { AdapterIam, LoginOptions } from '../adapter-iam.ts'
import { assertOptions } from '../assert-options.ts'
import type { AuroraIamStats } from '../aurora-iam.ts'
import { CredentialCache } from '../credentials/credential-cache.ts'
import { RefreshBackoff } from '../credentials/refresh-backoff.ts'
import {
  type ConnectionTarget,
  type DriverAddress,
  resolveTarget,
  resolveTokenTarget,
  type TokenTarget,
} from '../endpoint/connection-target.ts'
import { parseRdsHostname } from '../endpoint/rds-hostname.ts'
import { endpointKey, tokenKey } from '../endpoint/target-key.ts'
import { AuroraIamError } from '../errors.ts'
import { Lifetimes } from '../lifetime/lifetimes.ts'
import type { PoolDriver, PoolLifetime } from '../lifetime/pool-lifetime.ts'
import { type GreetingWait, ResumeGate } from '../lifetime/resume-gate.ts'
import type { AuroraIamOptions } from '../options.ts'
import { Admission } from '../permit/admission.ts'
import { EndpointLimiters } from '../permit/endpoint-limiters.ts'
import { currentLane } from '../permit/lane.ts'
import { closedError } from '../permit/permit-errors.ts'
import { readRateLimitSettings } from '../permit/rate-limit-settings.ts'
import { untilAborted, withSignals } from '../permit/until-aborted.ts'
import { CREDENTIALS_TIMEOUT_MS, LONGEST_TIMER_MS, REFRESH_BEFORE_MS, TCP_TIMEOUT_MS } from '../timings.ts'
import { type TlsPolicy, tlsPolicy } from '../tls/tls-policy.ts'
import type { AuthToken } from '../token/auth-token.ts'
import { sign, signAt } from '../token/sign.ts'
import { type CachedToken, TokenCache } from '../token/token-cache.ts'
import { readTokenClaims } from '../token/token-claims.ts'
import { providedTokenSource, reportingTokenSource, signingTokenSource } from '../token/token-source.ts'
import { ownProperties } from '../util/own-properties.ts'
import { tokenNotRequestedHint } from './access-denied-hint.ts'
import { CloseListeners } from './close-listeners.ts'
import { LoginAttempt, type LoginOwner } from './login-attempt.ts'
import { LoginReports } from './login-reports.ts'
import { LoginRetry } from './login-retry.ts'
import { LoginStats } from './login-stats.ts'
import { setCause } from './set-cause.ts'
import { type WriterCheck, writerCheckFor } from './writer-check.ts'

const MAX_TOKEN_TARGETS = 100

/** The steps of a login in their order: a token, a permit, the attempt, and what its outcome changes. */
export class LoginCoordinator implements AdapterIam, LoginOwner {
  readonly enabled: boolean
  readonly longestWaitMs: number
  readonly tcpTimeoutMs: number
  readonly retryRejectedLogins: boolean
  // Private: they may hold the secret key, which must not show when this object is printed.
  readonly #options: AuroraIamOptions
  readonly #credentials: CredentialCache
  readonly #tokens: TokenCache
  readonly #limiters: EndpointLimiters
  readonly #admission: Admission
  readonly #loginRetry = new LoginRetry()
  readonly #stats: LoginStats
  readonly #reports: LoginReports
  readonly #lifetimes: Lifetimes
  readonly #resumeGate: ResumeGate | undefined
  readonly #closing = new AbortController()
  readonly #closeListeners = new CloseListeners()
  readonly #refreshBackoff = new RefreshBackoff()
  /** The target of the last token, by the host name that the caller gave. */
  readonly #tokenTargets = new Map<string, ConnectionTarget>()
  #tokensSigned = 0

  constructor(given: AuroraIamOptions) {
    const options = ownProperties(given)
    assertOptions(options)
    this.#options = options
    this.enabled = options.enabled ?? true
    this.retryRejectedLogins = options.retryRejectedLogins ?? false
    const clock = options.clock ?? Date.now
    this.#stats = new LoginStats(clock)
    this.#reports = new LoginReports(this.#stats)
    const timeoutMs = options.credentialsTimeoutMs ?? CREDENTIALS_TIMEOUT_MS
    const closing = this.#closing.signal
    const { choice, maxWaitMs } = readRateLimitSettings(options)
    this.#limiters = new EndpointLimiters(choice)
    this.#admission = new Admission(this.#limiters, { maxWaitMs, closing })
    this.#lifetimes = new Lifetimes(options, (endpoint) => this.#limiters.stats()[endpoint])
    const { resumeTimeoutMs = 0 } = options
    if (resumeTimeoutMs > 0) this.#resumeGate = new ResumeGate(resumeTimeoutMs)
    // Credentials in their last minutes are requested twice, and the Region once.
    this.longestWaitMs = Math.min(maxWaitMs + 3 * timeoutMs + resumeTimeoutMs, LONGEST_TIMER_MS)
    this.tcpTimeoutMs = options.tcpTimeoutMs ?? TCP_TIMEOUT_MS
    this.#credentials = new CredentialCache({
      source: options.credentials,
      profile: options.profile,
      timeoutMs,
      closing,
      clock,
    })
    const limits = { timeoutMs, signal: closing }
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
    const ready = this.getToken(this.#tokenTarget(target))
    return (ready instanceof Promise ? await ready : ready).token
  }

  /** Returns the resolved `target`. A program asks for the token of few targets, again and again. */
  #tokenTarget(target: TokenTarget): ConnectionTarget {
    const { hostname, port, username } = target
    const known = this.#tokenTargets.get(hostname)
    if (known && known.port === port && known.username === username) return known
    const resolved = resolveTokenTarget({ hostname, port, username }, this.#options)
    // A Region of the environment may change.
    if (!hasFixedRegion(resolved, this.#options.region)) return resolved
    if (this.#tokenTargets.size >= MAX_TOKEN_TARGETS) this.#tokenTargets.clear()
    this.#tokenTargets.set(hostname, resolved)
    return resolved
  }

  stats(): AuroraIamStats {
    return {
      tokensSigned: this.#tokensSigned,
      credentialsResolved: this.#credentials.resolutions,
      ...this.#stats.stats(),
      rateLimits: this.#limiters.stats(),
      pools: this.#lifetimes.stats(),
    }
  }

  close(): void {
    this.#closeListeners.call()
    this.#closing.abort(closedError())
    this.#limiters.close()
    this.#lifetimes.close()
    this.#tokens.clear()
  }

  onClose(listener: (error: AuroraIamError) => void): () => void {
    return this.#closeListeners.add(listener)
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

  tryLogin(target: ConnectionTarget, group: object = target): LoginAttempt | undefined {
    const isBusy = this.#closing.signal.aborted || this.#lifetimes.mayWaitForWriter(target)
    // What wakes a paused database is one login, and the others wait for it.
    if (isBusy || this.#resumeGate) return undefined
    const requestedAt = performance.now()
    const cached = this.#tokens.usable(target)
    const permit = cached && this.#admission.tryAdmit(target, { lane: currentLane(), group })
    return (
      permit &&
      new LoginAttempt({ owner: this, target, permit, greetingWait: undefined, cached, requestedAt })
    )
  }

  loginAgain(target: ConnectionTarget, options: LoginOptions = {}): Promise<LoginAttempt> {
    return this.#logIn(target, options, true)
  }

  reportRefusal(target: ConnectionTarget, error: Error): void {
    this.#reports.failed({ target, stage: 'login', error, since: performance.now(), permitId: undefined })
  }

  retryRejected<T>(open: () => Promise<T>): Promise<T> {
    const gate = this.#resumeGate
    return this.#loginRetry.retry(gate ? () => gate.retry(open, this.#closing.signal) : open)
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
      return await untilAborted(() => this.#tokens.get(target), this.#closing.signal, signal)
    } catch (error) {
      // All callers that waited for this token have the same error.
      throw error instanceof AuroraIamError ? error.copy() : error
    }
  }

  async #logIn(target: ConnectionTarget, options: LoginOptions, isOpen: boolean): Promise<LoginAttempt> {
    const { signal, lane = currentLane(), group = target, callerLimit } = ownProperties(options)
    const requestedAt = performance.now()
    let stage: 'token' | 'permit' = 'token'
    let greetingWait: GreetingWait | undefined
    const closing = this.#closing.signal
    const stopWaiting = this.#lifetimes.countWaiting(target)
    try {
      // Before the permit, so that no permit is spent on a connection that has no token.
      const ready = this.getToken(target, signal)
      const cached = ready instanceof Promise ? await ready : ready
      const failover = isOpen ? undefined : this.#lifetimes.waitForWriter(target)
      if (failover) await untilAborted(() => failover, closing, signal)
      stage = 'permit'
      const gate = isOpen ? undefined : this.#resumeGate
      if (gate) {
        const endpoint = endpointKey(target)
        const entry = { key: `${endpoint} ${lane}`, endpoint, callerLimit }
        greetingWait = await withSignals((signals) => gate.enter({ ...entry, signals }), closing, signal)
      }
      const permit = await this.#admission.admit(target, { signal, lane, group, isOpen })
      return new LoginAttempt({ owner: this, target, permit, greetingWait, cached, requestedAt })
    } catch (cause) {
      greetingWait?.ended()
      const error = cause as Error
      this.#reports.failed({ target, stage, error, since: requestedAt, permitId: undefined })
      throw error
    } finally {
      stopWaiting()
    }
  }

  tokenRejected(
    { target, address = target.fixedAddress }: LoginAttempt,
    { error, token, isNew }: Parameters<LoginOwner['tokenRejected']>[1],
  ): void {
    if (isNew) {
      this.#stats.explain(error, {
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
    this.#reports.succeeded({ target, since: startedAt, permitId })
  }

  failed({ target, startedAt, permitId, isGreeted }: LoginAttempt, error: Error): void {
    // A failure of TCP itself has `connect` as its system call.
    const isClosedEarly = !isGreeted && (error as { syscall?: string }).syscall !== 'connect'
    if (isClosedEarly && !(error instanceof AuroraIamError)) this.#resumeGate?.recordClosedEarly(error)
    this.#reports.failed({ target, stage: 'login', error, since: startedAt, permitId })
  }
}

/** Returns whether the Region of a target is in its name or in the options. */
function hasFixedRegion({ hostname }: ConnectionTarget, region: string | undefined): boolean {
  return (region ?? parseRdsHostname(hostname)?.region) !== undefined
}
