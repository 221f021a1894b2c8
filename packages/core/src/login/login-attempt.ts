import type { Permit } from '@aurora-iam/rate-limit'
import { type EndpointEvent, publish } from '../diagnostics.ts'
import type { Address, ConnectionTarget } from '../endpoint/connection-target.ts'
import type { AuthToken } from '../token/auth-token.ts'
import type { CachedToken } from '../token/token-cache.ts'

/** What one login reports to the AuroraIam that it belongs to. */
export interface LoginOwner {
  getToken(target: ConnectionTarget): Promise<CachedToken>
  /** Another place under the rate limit. */
  acquire(target: ConnectionTarget): Promise<Permit | undefined>
  /** The server said 1045 to `token`, which was made for this login or, if not `isNew`, for an earlier one or taken since. */
  tokenRefused(refusal: {
    error: Error
    target: ConnectionTarget
    dialled: Address | undefined
    token: CachedToken
    isNew: boolean
  }): void
  opened(target: ConnectionTarget): void
  failed(error: Error): void
}

/** MySQL's "Access denied": on Aurora the answer to a bad token and to too many logins alike. */
const ER_ACCESS_DENIED = 1045

/**
 * MySQL's "Too many connections", which is also what RDS Proxy says to too many logins.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.troubleshooting.html
 */
const ER_CON_COUNT = 1040

/**
 * One attempt to log in that has its place under the rate limit. Whoever holds it opens the socket now, asks for
 * the {@link token} when the server wants it, and says how it ended; only the first such word counts.
 */
export class LoginAttempt {
  /** What is signed and verified. */
  readonly target: ConnectionTarget
  readonly #owner: LoginOwner
  #permit: Permit | undefined
  readonly #ready: CachedToken
  readonly #askedAt: number
  readonly #startedAt = performance.now()
  readonly #listeners: Array<() => void> = []
  #handedOver: CachedToken | undefined
  #address: Address | undefined
  #isAhead = false
  #isOver = false

  constructor(options: {
    owner: LoginOwner
    target: ConnectionTarget
    permit: Permit | undefined
    /** The token that was at hand when the wait for the permit began. */
    ready: CachedToken
    /** When this login was asked for, on the monotonic clock. */
    askedAt: number
  }) {
    this.#owner = options.owner
    this.target = options.target
    this.#permit = options.permit
    this.#ready = options.ready
    this.#askedAt = options.askedAt
  }

  /**
   * Returns where to open the socket. The caller's `dial` is called once for a connection: every call returns what the
   * first did.
   *
   * @throws whatever {@link ConnectionTarget.dial} throws
   */
  dial(): Address {
    this.#address ??= this.target.dial()
    return this.#address
  }

  /**
   * A token that is live at this moment. Only for a connection whose TLS peer has been verified.
   *
   * The server counts a login when it gets the token. If the place under the rate limit went to others meanwhile, because
   * this process was stopped or too busy, another one is waited for first.
   *
   * @throws {@link AuroraIamError} a new object for each call
   */
  async token(): Promise<AuthToken> {
    for (;;) {
      // The wait may have been long: from the cache comes the same token, or its successor.
      const token = this.#ready.isSingleUse ? this.#ready : await this.#owner.getToken(this.target)
      if (!this.#permit?.isLapsed) {
        this.#handedOver = token
        return token.token
      }
      await this.#acquireAgain(this.#permit)
    }
  }

  /**
   * The same for a driver that must be given the password before it opens the socket, and that verifies the TLS peer
   * by itself before it sends it. Silence is then no sign of throttling: it may have come before the token went out.
   */
  tokenBeforeConnect(): Promise<AuthToken> {
    this.#isAhead = true
    return this.token()
  }

  /** The server took the token. */
  succeed(): void {
    if (!this.#end()) return
    this.#taken()
    this.#owner.opened(this.target)
    publish('connect', () => ({ ...this.#endpoint(), durationMs: performance.now() - this.#startedAt }))
  }

  /** The login did not come about, by `error` of the server, the driver or the network. */
  fail(error: Error): void {
    if (!this.#end()) return
    const token = this.#handedOver
    const { errno } = error as { errno?: unknown }
    const isRefused = errno === ER_ACCESS_DENIED
    // Errors of the network count downwards from zero, those of MySQL upwards.
    const isAnswer = typeof errno === 'number' && errno > 0
    // Who was let in a moment ago is refused for the rate rather than for the token; and to fall silent after the token
    // went out is what a throttling server has in common with an overloaded one.
    const isThrottled =
      errno === ER_CON_COUNT ||
      (token !== undefined &&
        (isRefused ? token.signer.acceptedAt !== undefined : !isAnswer && !this.#isAhead))
    this.#permit?.release(isThrottled ? 'throttled' : 'failed')
    if (isRefused && token) {
      // Whoever waited long for a place may have waited for the token as well, and it has let others in since.
      const isNew = token.madeAt >= this.#askedAt && !token.wasAccepted
      this.#owner.tokenRefused({
        error,
        target: this.target,
        dialled: this.#address ?? this.target.fixedAddress,
        token,
        isNew,
      })
    }
    this.#gaveUp(error)
  }

  /** The server took the token, and the connection is not kept all the same: it led to a reader, or broke before that was known. */
  discard(error: Error): void {
    if (!this.#end()) return
    this.#taken()
    this.#gaveUp(error)
  }

  /** It is over, and how it ended cannot be seen from here. */
  abandon(): void {
    if (this.#end()) this.#permit?.release()
  }

  /** No socket was opened after all: the place goes to the next in line. */
  cancel(): void {
    if (this.#end()) this.#permit?.cancel()
  }

  /** Calls `listener` when it is over, in whatever way. */
  onEnd(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async #acquireAgain(lapsed: Permit): Promise<void> {
    // A socket was opened for it: a server that counts those has counted it.
    lapsed.release('failed')
    const permit = await this.#owner.acquire(this.target)
    if (this.#isOver) {
      permit?.cancel()
      throw new Error('The connection closed while it waited for another place under the rate limit.')
    }
    this.#permit = permit
  }

  #end(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    for (const listener of this.#listeners) listener()
    return true
  }

  #taken(): void {
    this.#permit?.release('ok')
    if (!this.#handedOver) return
    this.#handedOver.wasAccepted = true
    this.#handedOver.signer.acceptedAt = performance.now()
  }

  #gaveUp(error: Error): void {
    this.#owner.failed(error)
    publish('connect-failed', () => ({
      ...this.#endpoint(),
      stage: 'login',
      error,
      durationMs: performance.now() - this.#startedAt,
    }))
  }

  #endpoint(): EndpointEvent {
    const { hostname, port, username } = this.target
    return { hostname, port, username }
  }
}
