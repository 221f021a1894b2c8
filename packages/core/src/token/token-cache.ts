import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { tokenKey } from '../endpoint/target-key.ts'
import { AuroraIamError } from '../errors.ts'
import { REFRESH_PAUSE_MS, TRANSIT_MS } from '../timings.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'
import { SingleFlight } from '../util/single-flight.ts'
import { AuthToken, readTokenDates } from './auth-token.ts'

/** A token in the cache. */
export interface CachedToken {
  readonly token: AuthToken
  /** Whose credentials signed it; undefined for a token of the caller's `tokenProvider`. */
  readonly identity: string | undefined
  /** When it was issued, on the monotonic clock. */
  readonly issuedAt: number
  /** True if the database has accepted it. */
  wasAccepted: boolean
  /** Its expiry is unknown, so it serves only the login that it was issued for. */
  readonly isSingleUse: boolean
  /** The identity that signed it, shared with the tokens before and after it. */
  readonly signer: Signer
}

/** The identity that signs the tokens of one user of one endpoint. */
export interface Signer {
  /**
   * When the database last accepted it, on the monotonic clock: if it rejects it afterwards, the token may not be at
   * fault.
   */
  acceptedAt?: number
}

/** A new token, before anything is known about its use. */
export interface IssuedToken {
  readonly value: string
  readonly identity: string | undefined
  /** When the credentials that signed it expire, in epoch milliseconds; Infinity when that is unknown. */
  readonly credentialsExpireMs: number
  /** When it expires, in epoch milliseconds, if its issuer reports that beside the string. */
  readonly expiresMs: number | undefined
}

interface Entry {
  readonly cached: CachedToken
  /** The token that it replaced in the background, if the database had not rejected that one. */
  readonly former: CachedToken | undefined
  readonly usableFromMs: number
  readonly usableUntilMs: number
  refreshAtMs: number
  /** The database rejected it. It stays until it expires, as its successor takes over what is known of the signer. */
  isEvicted: boolean
}

/**
 * Cache of signed tokens, one per endpoint and user. Concurrent callers share one signing, unless its token is for one
 * login. A token in its last minutes is returned while its successor is signed, but only while it is valid. Failures
 * are not cached.
 */
export class TokenCache {
  readonly #issue: (target: ConnectionTarget) => Promise<IssuedToken>
  readonly #identity: () => string | undefined
  readonly #refreshBeforeMs: number
  readonly #clock: () => number
  readonly #entries = new Map<string, Entry>()
  readonly #signing = new SingleFlight<string, CachedToken>()

  constructor(options: {
    issue: (target: ConnectionTarget) => Promise<IssuedToken>
    /** Returns the identity that would sign now, if it is known. */
    identity: () => string | undefined
    refreshBeforeMs: number
    clock: () => number
  }) {
    this.#issue = options.issue
    this.#identity = options.identity
    this.#refreshBeforeMs = options.refreshBeforeMs
    this.#clock = options.clock
  }

  /** Returns the cached token if the database accepts it now. One that expires soon is refreshed in the background. */
  usable(target: ConnectionTarget): CachedToken | undefined {
    const entry = this.#entries.get(tokenKey(target))
    const now = this.#clock()
    if (!entry || !this.#isUsable(entry, now)) return undefined
    if (now >= entry.refreshAtMs) {
      entry.refreshAtMs = now + REFRESH_PAUSE_MS
      // The cached token is valid, so this caller has no failure. The next renewal reports one.
      this.renew(target).catch(() => {})
    }
    return entry.cached
  }

  /** Signs a new token, once for all concurrent callers. One for a single login is signed for each of them. */
  async renew(target: ConnectionTarget): Promise<CachedToken> {
    const key = tokenKey(target)
    const isShared = this.#signing.pending(key) !== undefined
    const cached = await this.#signing.run(key, (isWanted) => this.#sign(key, target, isWanted))
    // A token for one login belongs to the caller that started its signing.
    return isShared && cached.isSingleUse ? this.#sign(key, target, () => false) : cached
  }

  /**
   * Evicts `cached`, unless it has been replaced already: a successor that the same identity signed in the background,
   * and that no login has proven, goes with it. Returns whether a token was still in use.
   */
  evict(target: ConnectionTarget, cached: CachedToken): boolean {
    const key = tokenKey(target)
    const entry = this.#entries.get(key)
    if (!entry || entry.isEvicted) return false
    const { former, cached: current } = entry
    const isSuccessor = former === cached && current.identity === cached.identity && !current.wasAccepted
    if (current !== cached && !isSuccessor) return false
    // A successor that is being signed has the same credentials.
    this.#signing.forget(key)
    entry.isEvicted = true
    return true
  }

  clear(): void {
    this.#entries.clear()
    // A token that is being signed is not cached.
    this.#signing.clear()
  }

  #isUsable(entry: Entry, now: number): boolean {
    // A clock that was set back may have signed for the future, which the server rejects.
    const isInTime = now >= entry.usableFromMs && now < entry.usableUntilMs
    return isInTime && !entry.isEvicted && entry.cached.identity === this.#identity()
  }

  async #sign(key: string, target: ConnectionTarget, isWanted: () => boolean): Promise<CachedToken> {
    const issued = await this.#issue(target)
    const now = this.#clock()
    const dates = readTokenDates(issued.value)
    const expiresMs = Math.min(
      dates?.expiresAt.getTime() ?? issued.expiresMs ?? now,
      issued.expiresMs ?? Number.POSITIVE_INFINITY,
      issued.credentialsExpireMs,
    )
    const replaced = this.#entries.get(key)
    const former = replaced?.cached
    const cached: CachedToken = {
      token: new AuthToken(issued.value, new Date(expiresMs)),
      identity: issued.identity,
      issuedAt: monotonicMs(),
      wasAccepted: false,
      isSingleUse: dates === undefined && issued.expiresMs === undefined,
      signer: former && former.identity === issued.identity ? former.signer : {},
    }
    if (cached.isSingleUse) return cached
    const usableUntilMs = expiresMs - TRANSIT_MS
    if (usableUntilMs <= now) throw expiresTooSoon(issued, cached.token.expiresAt)
    if (!isWanted()) return cached
    // Tokens of users who do not log in again must not stay in the cache.
    for (const [other, entry] of this.#entries) {
      if (now >= entry.usableUntilMs) this.#entries.delete(other)
    }
    this.#entries.set(key, {
      cached,
      former: replaced?.isEvicted ? undefined : former,
      usableFromMs: dates?.signedAt.getTime() ?? now,
      usableUntilMs,
      refreshAtMs: Math.max(expiresMs - this.#refreshBeforeMs, now + REFRESH_PAUSE_MS),
      isEvicted: false,
    })
    return cached
  }
}

function expiresTooSoon({ identity }: IssuedToken, expiresAt: Date): AuroraIamError {
  const end = `${expiresAt.toISOString()}, sooner than a login takes`
  if (identity === undefined) {
    return new AuroraIamError(
      'ERR_AURORA_IAM_TOKEN_FAILED',
      `No token: tokenProvider returned one that expires at ${end}. Return a new one from each call, and check the clock of this machine.`,
      { option: 'tokenProvider' },
    )
  }
  // A provider that renews them when they expire needs no fix.
  return new AuroraIamError(
    'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE',
    `credentials: they expire at ${end}, and the credential provider returned no newer ones. Renew them, or check the clock of this machine.`,
    { option: 'credentials' },
  )
}
