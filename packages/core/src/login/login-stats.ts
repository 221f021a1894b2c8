import type { CredentialsEvidence } from '../credentials/credential-cache.ts'
import type { Address } from '../endpoint/address.ts'
import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { tokenKey } from '../endpoint/target-key.ts'
import type { TokenClaims } from '../token/token-claims.ts'
import { describe } from '../util/describe.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'
import { redact } from '../util/redact.ts'
import { accessDeniedHint } from './access-denied-hint.ts'
import { setCause } from './set-cause.ts'

/** Evidence of one login that was denied. */
export interface DeniedLogin {
  readonly target: ConnectionTarget
  readonly dialled: Address | undefined
  /** When a login of this user at this endpoint was last accepted, on the monotonic clock. */
  readonly acceptedAt: number | undefined
  readonly credentials: CredentialsEvidence | undefined
  /** Claims of the token, where a token provider made it. */
  readonly claims: TokenClaims | undefined
}

/** Counts of the logins so far, and the reason of the last that failed. */
export class LoginStats {
  readonly #clock: () => number
  /** The clock less the monotonic one, when a login was last accepted. */
  #clockAheadMs: number
  #opened = 0
  #failed = 0
  /** The first user whose new token was rejected, and whether one of another user was. */
  #firstRejected: string | undefined
  #areSeveralRejected = false
  #lastError: { code: string | undefined; message: string; at: Date } | undefined
  /** Begin of the second in which logins are counted, on the monotonic clock. */
  #secondStartedAt = Number.NEGATIVE_INFINITY
  #loginsInSecond = 0

  constructor(clock: () => number) {
    this.#clock = clock
    this.#clockAheadMs = this.#readClockAhead()
  }

  opened(): void {
    this.#count()
    this.#opened++
    this.#clockAheadMs = this.#readClockAhead()
  }

  failed(error: Error): void {
    this.#count()
    this.#failed++
    // A limiter of the caller may reject with anything.
    const { code } = (error ?? {}) as { code?: string }
    this.#lastError = { code, message: redact(messageOf(error)), at: new Date() }
  }

  /** Sets the `cause` of the server's error to what to check. Everything else of the error is left unchanged. */
  explain(error: Error, { acceptedAt, ...denied }: DeniedLogin): void {
    const { target } = denied
    const user = tokenKey(target)
    this.#firstRejected ??= user
    if (user !== this.#firstRejected) this.#areSeveralRejected = true
    const hint = accessDeniedHint({
      ...denied,
      nowMs: this.#clock(),
      clockMovedMs: this.#readClockAhead() - this.#clockAheadMs,
      accepted: this.#opened,
      acceptedAgoMs: acceptedAt === undefined ? undefined : monotonicMs() - acceptedAt,
      recentLogins: this.#loginsInSecond + 1,
      isRefusedEverywhere: this.#opened === 0 && this.#areSeveralRejected,
    })
    setCause(error, hint)
  }

  stats() {
    return {
      connectionsOpened: this.#opened,
      connectionsFailed: this.#failed,
      lastError: this.#lastError,
    }
  }

  #count(): void {
    const now = monotonicMs()
    if (now - this.#secondStartedAt >= 1_000) {
      this.#secondStartedAt = now
      this.#loginsInSecond = 0
    }
    this.#loginsInSecond++
  }

  #readClockAhead(): number {
    return this.#clock() - monotonicMs()
  }
}

/** Returns the message. Node's error for a name with several addresses has only the errors of each. */
function messageOf(error: Error): string {
  if (typeof error?.message !== 'string') return `not an Error, but ${describe(error)}`
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message
  return error.errors.map((one) => one?.message).join('; ')
}
