import type { AdapterIam, LoginOptions } from '../adapter-iam.ts'
import { assertOptions } from '../assert-options.ts'
import type { AuroraIamStats } from '../aurora-iam.ts'
import {
  type ConnectionTarget,
  type DriverAddress,
  resolveTarget,
  type TokenTarget,
} from '../endpoint/connection-target.ts'
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
import { LONGEST_TIMER_MS, TCP_TIMEOUT_MS } from '../timings.ts'
import { type TlsPolicy, tlsPolicy } from '../tls/tls-policy.ts'
import type { AuthToken } from '../token/auth-token.ts'
import { LoginTokens } from '../token/login-tokens.ts'
import type { CachedToken } from '../token/token-cache.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'
import { ownProperties } from '../util/own-properties.ts'
import { tokenNotRequestedHint } from './access-denied-hint.ts'
import { CloseListeners } from './close-listeners.ts'
import { LoginAttempt, type LoginOwner } from './login-attempt.ts'
import { LoginReports } from './login-reports.ts'
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
  readonly #tokens: LoginTokens
  readonly #limiters: EndpointLimiters
  readonly #admission: Admission
  readonly #loginRetry = new LoginRetry()
  readonly #stats: LoginStats
  readonly #reports: LoginReports
  readonly #lifetimes: Lifetimes
  readonly #resumeGate: ResumeGate | undefined
  readonly #closing = new AbortController()
  readonly #closeListeners = new CloseListeners()

  constructor(given: AuroraIamOptions) {
    const options = ownProperties(given)
    assertOptions(options)
    this.#options = options
    this.enabled = options.enabled ?? true
    this.retryRejectedLogins = options.retryRejectedLogins ?? false
    this.tcpTimeoutMs = options.tcpTimeoutMs ?? TCP_TIMEOUT_MS
    this.#stats = new LoginStats(options.clock ?? Date.now)
    this.#reports = new LoginReports(this.#stats)
    const closing = this.#closing.signal
    this.#tokens = new LoginTokens(options, closing)
    const { choice, maxWaitMs } = readRateLimitSettings(options)
    this.#limiters = new EndpointLimiters(choice)
    this.#admission = new Admission(this.#limiters, { maxWaitMs, closing })
    this.#lifetimes = new Lifetimes(options, (endpoint) => this.#limiters.statsOf(endpoint))
    const { resumeTimeoutMs = 0 } = options
    if (resumeTimeoutMs > 0) this.#resumeGate = new ResumeGate(resumeTimeoutMs)
    this.longestWaitMs = Math.min(maxWaitMs + this.#tokens.longestWaitMs + resumeTimeoutMs, LONGEST_TIMER_MS)
  }

  driverTimeoutMs(connectTimeoutMs: number): number {
    return connectTimeoutMs === 0 ? 0 : Math.min(connectTimeoutMs + this.longestWaitMs, LONGEST_TIMER_MS)
  }

  token(target: TokenTarget): Promise<AuthToken> {
    return this.#tokens.token(target)
  }

  stats(): AuroraIamStats {
    return {
      tokensSigned: this.#tokens.signed,
      credentialsResolved: this.#tokens.credentialsResolved,
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
    // What wakes a paused database is one login, and the others wait for it.
    if (this.#resumeGate || this.#lifetimes.mayWaitForWriter(target)) return undefined
    const requestedAt = monotonicMs()
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
    this.#reports.failed({ target, stage: 'login', error, since: monotonicMs(), permitId: undefined })
  }

  retryRejected<T>(open: () => Promise<T>): Promise<T> {
    const gate = this.#resumeGate
    return this.#loginRetry.retry(gate ? () => gate.retry(open, this.#closing.signal) : open)
  }

  getToken(target: ConnectionTarget): CachedToken | Promise<CachedToken> {
    return this.#tokens.get(target)
  }

  async #logIn(target: ConnectionTarget, options: LoginOptions, isOpen: boolean): Promise<LoginAttempt> {
    const { signal, lane = currentLane(), group = target, callerLimit } = ownProperties(options)
    const requestedAt = monotonicMs()
    let stage: 'token' | 'permit' = 'token'
    let greetingWait: GreetingWait | undefined
    const closing = this.#closing.signal
    const stopWaiting = this.#lifetimes.countWaiting(target)
    try {
      // Before the permit, so that no permit is spent on a connection that has no token.
      const ready = this.#tokens.get(target, signal)
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
        ...this.#tokens.evidence(token),
      })
    } else this.#loginRetry.recordRejection(error, tokenKey(target), token)
    this.#tokens.rejected(target, token)
  }

  tokenNotRequested({ target }: LoginAttempt, error: Error): void {
    setCause(error, tokenNotRequestedHint(target))
  }

  tokenAccepted({ target }: LoginAttempt): void {
    this.#tokens.accepted(target)
  }

  succeeded({ target, startedAt, permitId }: LoginAttempt): void {
    this.#reports.succeeded({ target, since: startedAt, permitId })
  }

  failed({ target, startedAt, permitId, isGreeted }: LoginAttempt, error: Error): void {
    // A failure of TCP itself has `connect` as its system call.
    const isClosedEarly = !isGreeted && (error as { syscall?: string }).syscall !== 'connect'
    if (isClosedEarly && !(error instanceof AuroraIamError)) this.#resumeGate?.recordClosedEarly(error)
    this.#reports.failed({ target, stage: 'login', error, since: startedAt, permitId })
  }
}
