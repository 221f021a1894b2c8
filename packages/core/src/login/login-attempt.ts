import type { Address } from '../endpoint/address.ts'
import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import type { GreetingWait } from '../lifetime/resume-gate.ts'
import type { AttemptPermit } from '../permit/attempt-permit.ts'
import type { AuthToken } from '../token/auth-token.ts'
import type { CachedToken } from '../token/token-cache.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'
import { loginOutcome } from './login-outcome.ts'

/** Coordinator of login attempts, as one of them sees it: it gives tokens, and receives the reports. */
export interface LoginOwner {
  getToken(target: ConnectionTarget): CachedToken | Promise<CachedToken>
  /**
   * Records that the server answered 1045 to `token`. It was signed for this login or, if not `isNew`, earlier or
   * accepted since.
   */
  tokenRejected(attempt: LoginAttempt, rejection: { error: Error; token: CachedToken; isNew: boolean }): void
  /** Records that the server answered 1045 without asking for a token. */
  tokenNotRequested(attempt: LoginAttempt, error: Error): void
  /** Records that the server accepted the token. It is not called where the server asked for none. */
  tokenAccepted(attempt: LoginAttempt): void
  succeeded(attempt: LoginAttempt): void
  failed(attempt: LoginAttempt, error: Error): void
}

/**
 * One login attempt that the rate limit has let through. The holder opens the socket at {@link dial}, asks for
 * {@link token} when the server requests it, and reports the outcome once: `succeed`, `fail`, `discard`, `abandon` or
 * `cancel`. Only the first report counts.
 */
export class LoginAttempt {
  /** The endpoint that is signed and verified. */
  readonly target: ConnectionTarget
  /** When the attempt got its permit, on the monotonic clock. */
  readonly startedAt = monotonicMs()
  /** With `resumeTimeoutMs`: how long the server's first bytes may take. */
  readonly greetingWait: GreetingWait | undefined
  readonly #owner: LoginOwner
  readonly #permit: AttemptPermit
  readonly #cached: CachedToken
  readonly #requestedAt: number
  readonly #listeners: Array<() => void> = []
  readonly #greetingListeners: Array<() => void> = []
  #sent: CachedToken | undefined
  #isTokenEarly = false
  #isGreeted = false
  #isOver = false

  constructor(options: {
    owner: LoginOwner
    target: ConnectionTarget
    permit: AttemptPermit
    greetingWait: GreetingWait | undefined
    /** The cached token when the wait for the permit began. */
    cached: CachedToken
    /** When this login was requested, on the monotonic clock. */
    requestedAt: number
  }) {
    this.#owner = options.owner
    this.target = options.target
    this.#permit = options.permit
    this.greetingWait = options.greetingWait
    this.#cached = options.cached
    this.#requestedAt = options.requestedAt
  }

  /**
   * Returns where to open the socket. The caller's `dial` was called once, after the wait for the permit.
   *
   * @throws {TypeError} for a login on an open connection
   */
  dial(): Address {
    if (!this.address) throw new TypeError('A login on an open connection dials nothing.')
    return this.address
  }

  /** The address that was dialled; undefined for a login on an open connection. */
  get address(): Address | undefined {
    return this.#permit.address
  }

  /** The latest permit of this attempt, as the events of the rate limiter name it; undefined without a rate limit. */
  get permitId(): string | undefined {
    return this.#permit.id
  }

  /** True once the outcome was reported. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** True once the token was handed out: only the server's answer is missing. */
  get isTokenSent(): boolean {
    return this.#sent !== undefined
  }

  /** True once the server has sent its first bytes. */
  get isGreeted(): boolean {
    return this.#isGreeted
  }

  /**
   * Reports that the socket is being opened. From then on the permit may go back while the server sends nothing, so the
   * holder calls {@link confirmPermit} before it answers the server's first bytes.
   */
  trackConnect(): void {
    this.greetingWait?.connecting()
    this.#permit.trackConnect()
  }

  /**
   * Reports the server's first bytes. They must not be answered before the attempt holds a permit.
   *
   * @returns undefined if it does, else a promise that resolves when it holds another one
   */
  confirmPermit(): Promise<void> | undefined {
    this.#greet()
    return this.#permit.confirm()
  }

  /**
   * Returns a token that is live at this moment. Only for a connection whose TLS peer has been verified.
   *
   * The server counts a login when it gets the token. If the permit has lapsed meanwhile, because this process was
   * stopped or too busy, or went back, another one is acquired first.
   *
   * @throws {@link AuroraIamError} a new object for each call
   */
  async token(): Promise<AuthToken> {
    for (;;) {
      // The wait may have been long: the cache returns the same token, or its successor.
      const ready = this.#cached.isSingleUse ? this.#cached : this.#owner.getToken(this.target)
      const token = ready instanceof Promise ? await ready : ready
      if (this.#permit.isUsable) {
        this.#sent = token
        return token.token
      }
      await this.#permit.acquireAgain()
    }
  }

  /**
   * Returns the token for a driver that takes the password before it opens the socket, and verifies the TLS peer itself
   * before it sends it. An unresponsive server is then no sign of throttling: the token may not have been sent. Call
   * {@link trackConnect} first.
   */
  async tokenBeforeConnect(): Promise<AuthToken> {
    this.#isTokenEarly = true
    const permitted = this.#permit.confirmEarly()
    if (permitted) await permitted
    this.#sent = this.#cached.isSingleUse ? this.#cached : await this.#owner.getToken(this.target)
    return this.#sent.token
  }

  /** Reports that the server accepted the token. */
  succeed(): void {
    if (!this.#end()) return
    this.#accept()
    this.#owner.succeeded(this)
  }

  /** Reports that the login failed, by `error` of the server, the driver or the network. */
  fail(error: Error): void {
    if (!this.#end()) return
    if (this.#permit.isUnanswered) this.#permit.cancel({ isFault: true })
    else this.#reject(error)
    this.#owner.failed(this, error)
  }

  /** Reports that the server accepted the token, and that the connection is not kept: it led to a reader, or broke. */
  discard(error: Error): void {
    if (!this.#end()) return
    this.#accept()
    this.#owner.failed(this, error)
  }

  /** Ends an attempt whose outcome cannot be seen from here. */
  abandon(): void {
    if (!this.#end()) return
    if (this.#permit.isUnanswered) this.#permit.cancel()
    else this.#permit.release()
  }

  /** Ends an attempt for which no socket was opened: the permit goes to the next in the queue. */
  cancel(): void {
    if (this.#end()) this.#permit.cancel()
  }

  /** Calls `listener` with the server's first bytes. */
  onGreeting(listener: () => void): void {
    this.#greetingListeners.push(listener)
  }

  /** Calls `listener` when the attempt is over, whatever its outcome. */
  onEnd(listener: () => void): void {
    this.#listeners.push(listener)
  }

  #greet(): void {
    if (this.#isGreeted) return
    this.#isGreeted = true
    this.greetingWait?.greeted()
    for (const listener of this.#greetingListeners) listener()
  }

  #reject(error: Error): void {
    const token = this.#sent
    const { isDenied, isThrottled } = loginOutcome(error, token, this.#isTokenEarly)
    this.#permit.release(isThrottled ? 'throttled' : 'failed')
    if (!isDenied) return
    if (!token) {
      this.#owner.tokenNotRequested(this, error)
      return
    }
    // After a long wait for the permit the token may have logged in others since.
    const isNew = token.issuedAt >= this.#requestedAt && !token.wasAccepted
    this.#owner.tokenRejected(this, { error, token, isNew })
  }

  #end(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.greetingWait?.ended()
    for (const listener of this.#listeners) listener()
    return true
  }

  #accept(): void {
    this.#permit.release('ok')
    if (!this.#sent) return
    this.#sent.wasAccepted = true
    this.#sent.signer.acceptedAt = monotonicMs()
    this.#owner.tokenAccepted(this)
  }
}
