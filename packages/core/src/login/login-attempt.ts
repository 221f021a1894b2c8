import type { Permit, PermitLane } from '@aurora-iam/rate-limit'
import type { Address, ConnectionTarget } from '../endpoint/connection-target.ts'
import type { SilentAttempt } from '../permit/address-watch.ts'
import type { AuthToken } from '../token/auth-token.ts'
import type { CachedToken } from '../token/token-cache.ts'

/** Coordinator of login attempts, as one of them sees it: it gives tokens and permits, and receives the reports. */
export interface LoginOwner {
  getToken(target: ConnectionTarget): CachedToken | Promise<CachedToken>
  /** Waits for another permit, ahead of attempts that have opened no socket. */
  acquireAgain(attempt: LoginAttempt): Promise<Permit | undefined>
  /** Records that the socket is being opened. */
  connecting(attempt: LoginAttempt): void
  /** Records that the server has sent its first bytes. */
  answered(attempt: LoginAttempt): void
  /** Records that the attempt ended before that. `isFault`: because of the address, not of the caller. */
  unanswered(attempt: LoginAttempt, isFault: boolean): void
  /** Records that no socket was opened. */
  unused(attempt: LoginAttempt): void
  /**
   * Records that the server answered 1045 to `token`. It was signed for this login or, if not `isNew`, earlier or
   * accepted since.
   */
  tokenRejected(attempt: LoginAttempt, rejection: { error: Error; token: CachedToken; isNew: boolean }): void
  /** Records that the server answered 1045 without asking for a token. */
  tokenNotRequested(attempt: LoginAttempt, error: Error): void
  succeeded(attempt: LoginAttempt): void
  failed(attempt: LoginAttempt, error: Error): void
}

/** Progress of the socket of an attempt. */
type Progress = 'not opened' | 'connecting' | 'answered'

/** MySQL's "Access denied": on Aurora the answer to a bad token and to too many logins alike. */
const ER_ACCESS_DENIED = 1045

/**
 * MySQL's "Too many connections", which RDS Proxy also answers to too many logins.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.troubleshooting.html
 */
const ER_CON_COUNT = 1040

/**
 * One login attempt that the rate limit has let through. The holder opens the socket at {@link dial}, asks for
 * {@link token} when the server requests it, and reports the outcome once: `succeed`, `fail`, `discard`, `abandon` or
 * `cancel`. Only the first report counts.
 */
export class LoginAttempt implements SilentAttempt {
  /** The endpoint that is signed and verified. */
  readonly target: ConnectionTarget
  /** The queue that it waits in for another permit. */
  readonly lane: PermitLane
  /** When the attempt got its permit, on the monotonic clock. */
  readonly startedAt = performance.now()
  /** True if {@link AddressWatch.enter} reserved room for it. */
  readonly isReserved: boolean
  readonly #owner: LoginOwner
  readonly #address: Address | undefined
  readonly #cached: CachedToken
  readonly #requestedAt: number
  readonly #listeners: Array<() => void> = []
  #permit: Permit | undefined
  #permitId: string | undefined
  #isPermitMissing: boolean
  #progress: Progress = 'not opened'
  #sent: CachedToken | undefined
  #isTokenEarly = false
  #isOver = false

  constructor(options: {
    owner: LoginOwner
    target: ConnectionTarget
    lane: PermitLane
    address: Address | undefined
    permit: Permit | undefined
    /** True for an attempt that must acquire a permit once its server has answered. */
    isPermitMissing: boolean
    /** The cached token when the wait for the permit began. */
    cached: CachedToken
    /** When this login was requested, on the monotonic clock. */
    requestedAt: number
  }) {
    this.#owner = options.owner
    this.target = options.target
    this.lane = options.lane
    this.#address = options.address
    this.#permit = options.permit
    this.#permitId = options.permit?.id
    this.#isPermitMissing = options.isPermitMissing
    this.isReserved = options.isPermitMissing
    this.#cached = options.cached
    this.#requestedAt = options.requestedAt
  }

  /**
   * Returns where to open the socket. The caller's `dial` was called once, after the wait for the permit.
   *
   * @throws {TypeError} for a login on an open connection
   */
  dial(): Address {
    if (!this.#address) throw new TypeError('A login on an open connection dials nothing.')
    return this.#address
  }

  /** The address that was dialled; undefined for a login on an open connection. */
  get address(): Address | undefined {
    return this.#address
  }

  /** The latest permit of this attempt, as the events of the rate limiter name it; undefined without a rate limit. */
  get permitId(): string | undefined {
    return this.#permitId
  }

  /** True once the token was handed out: only the server's answer is missing. */
  get isTokenSent(): boolean {
    return this.#sent !== undefined
  }

  /**
   * Reports that the socket is being opened. From then on the permit may go back while the server is silent, so the
   * holder calls {@link confirmPermit} before it answers the server's first bytes.
   */
  trackConnect(): void {
    if (this.#isOver || this.#progress !== 'not opened') return
    if (!this.#permit && !this.#isPermitMissing) return
    this.#progress = 'connecting'
    this.#owner.connecting(this)
  }

  /**
   * Reports the server's first bytes. They must not be answered before the attempt holds a permit.
   *
   * @returns undefined if it does, else a promise that resolves when it holds another one
   */
  confirmPermit(): Promise<void> | undefined {
    if (this.#progress === 'connecting') {
      this.#progress = 'answered'
      this.#owner.answered(this)
    }
    return this.#isPermitMissing && !this.#isOver ? this.#acquireAgain() : undefined
  }

  /** Returns the permit unused. The server has sent nothing, so it has counted nothing. */
  returnPermit(): void {
    if (!this.#permit || this.#isOver) return
    this.#permit.cancel()
    this.#permit = undefined
    this.#isPermitMissing = true
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
      const token = this.#cached.isSingleUse ? this.#cached : await this.#owner.getToken(this.target)
      if (!this.#isPermitMissing && !this.#permit?.isLapsed) {
        this.#sent = token
        return token.token
      }
      await this.#acquireAgain()
    }
  }

  /**
   * Returns the token for a driver that takes the password before it opens the socket, and verifies the TLS peer itself
   * before it sends it. An unresponsive server is then no sign of throttling: the token may not have been sent. Call
   * {@link trackConnect} first.
   */
  async tokenBeforeConnect(): Promise<AuthToken> {
    this.#isTokenEarly = true
    // A holder that does not track its socket cannot hold back its answer.
    const isUntracked = this.#isPermitMissing && this.#progress === 'not opened'
    if (isUntracked || this.#permit?.isLapsed) await this.#acquireAgain()
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
    const isSilent = this.#progress === 'connecting'
    if (!this.#end()) return
    if (isSilent) {
      this.#permit?.cancel()
      this.#owner.unanswered(this, true)
    } else this.#release(error)
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
    const isSilent = this.#progress === 'connecting'
    if (!this.#end()) return
    if (isSilent) this.#cancelPermit()
    else this.#permit?.release()
  }

  /** Ends an attempt for which no socket was opened: the permit goes to the next in the queue. */
  cancel(): void {
    if (this.#end()) this.#cancelPermit()
  }

  /** Calls `listener` when the attempt is over, whatever its outcome. */
  onEnd(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async #acquireAgain(): Promise<void> {
    // A socket was opened for a permit that has lapsed: a server that counts those has counted it.
    this.#permit?.release('failed')
    this.#permit = undefined
    this.#isPermitMissing = true
    const permit = await this.#owner.acquireAgain(this)
    if (this.#isOver) {
      permit?.cancel()
      throw new Error('The connection closed while it waited for another permit of the rate limit.')
    }
    this.#isPermitMissing = false
    this.#permit = permit
    this.#permitId = permit?.id
  }

  #cancelPermit(): void {
    this.#permit?.cancel()
    if (this.#progress === 'connecting') this.#owner.unanswered(this, false)
    else if (this.#progress === 'not opened' && this.isReserved) this.#owner.unused(this)
  }

  #release(error: Error): void {
    const token = this.#sent
    const { errno } = error as { errno?: unknown }
    const isDenied = errno === ER_ACCESS_DENIED
    // Errors of the network have negative numbers, those of MySQL positive ones.
    const isAnswer = typeof errno === 'number' && errno > 0
    // A user who was accepted a moment ago is denied for the rate rather than for the token. A server that is silent
    // after the token may throttle or be overloaded: both need fewer logins.
    const isThrottled =
      errno === ER_CON_COUNT ||
      (token !== undefined &&
        (isDenied ? token.signer.acceptedAt !== undefined : !isAnswer && !this.#isTokenEarly))
    this.#permit?.release(isThrottled ? 'throttled' : 'failed')
    if (this.#progress === 'not opened' && this.isReserved) this.#owner.unused(this)
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
    for (const listener of this.#listeners) listener()
    return true
  }

  #accept(): void {
    this.#permit?.release('ok')
    if (!this.#sent) return
    this.#sent.wasAccepted = true
    this.#sent.signer.acceptedAt = performance.now()
  }
}
