import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { tokenKey } from '../endpoint/target-key.ts'
import { AuroraIamError } from '../errors.ts'
import { REFRESH_PAUSE_MS, TRANSIT_MS } from '../timings.ts'
import { SingleFlight } from '../util/single-flight.ts'
import { AuthToken, readTokenDates } from './auth-token.ts'

/** A token in the cache. */
export interface CachedToken {
  readonly token: AuthToken
  /** Whose credentials signed it; undefined when the caller's own provider made it. */
  readonly identity: string | undefined
  /** When it was made, on the monotonic clock. */
  readonly madeAt: number
  /** Whether the database has taken it. */
  wasAccepted: boolean
  /** It does not say when it ends, so it is good for the login that it was made for and no other. */
  readonly isSingleUse: boolean
  /** The identity that signed it: shared with the tokens before and after it. */
  readonly signer: Signer
}

/** The identity that signs the tokens of one user of one endpoint. */
export interface Signer {
  /**
   * When the database last accepted it, on the monotonic clock: if it rejects it afterwards, the token may not be at
   * fault.
   */
  acceptedAt: number | undefined
}

/** A token as it was made, before anything is known about its use. */
export interface MintedToken {
  readonly value: string
  readonly identity: string | undefined
  /** When the credentials that signed it end, epoch milliseconds; Infinity when they do not say. */
  readonly credentialsExpireMs: number
  /** When it ends by its maker's word, if the string itself does not say. */
  readonly expiresMs: number | undefined
}

interface Entry {
  readonly cached: CachedToken
  readonly usableFromMs: number
  usableUntilMs: number
  refreshAtMs: number
}

const EVICTED = Number.NEGATIVE_INFINITY

/**
 * Cache of signed tokens, one per endpoint and user. Concurrent callers share one signing, unless its token is for one login. A
 * token in its last minutes is served while its successor is made, but only while it is still valid; a failure is never
 * kept.
 */
export class TokenCache {
  readonly #mint: (target: ConnectionTarget) => Promise<MintedToken>
  readonly #identity: () => string | undefined
  readonly #refreshBeforeMs: number
  readonly #clock: () => number
  readonly #entries = new Map<string, Entry>()
  readonly #signing = new SingleFlight<string, CachedToken>()

  constructor(options: {
    mint: (target: ConnectionTarget) => Promise<MintedToken>
    /** Returns the identity that would sign now, as far as it is known. */
    identity: () => string | undefined
    refreshBeforeMs: number
    clock: () => number
  }) {
    this.#mint = options.mint
    this.#identity = options.identity
    this.#refreshBeforeMs = options.refreshBeforeMs
    this.#clock = options.clock
  }

  /** Returns a token that the database accepts now, signed if need be. */
  get(target: ConnectionTarget): Promise<CachedToken> {
    const cached = this.usable(target)
    return cached ? Promise.resolve(cached) : this.#renew(tokenKey(target), target)
  }

  /** Returns the cached token if the database accepts it now. One that expires soon is refreshed in the background. */
  usable(target: ConnectionTarget): CachedToken | undefined {
    const key = tokenKey(target)
    const entry = this.#entries.get(key)
    const now = this.#clock()
    if (!entry || !this.#isUsable(entry, now)) return undefined
    if (now >= entry.refreshAtMs) {
      entry.refreshAtMs = now + REFRESH_PAUSE_MS
      // Its failure is not this caller's: the cached token is valid, and the next renewal reports for itself.
      this.#renew(key, target).catch(() => {})
    }
    return entry.cached
  }

  /** Evicts `cached`, unless it has been replaced already. Returns whether it was still in use. */
  evict(target: ConnectionTarget, cached: CachedToken): boolean {
    const key = tokenKey(target)
    const entry = this.#entries.get(key)
    if (entry?.cached !== cached || entry.usableUntilMs === EVICTED) return false
    // Its successor, if one is being made, has the same credentials.
    this.#signing.forget(key)
    // It stays until its successor is there, which takes over what is known of the signer.
    entry.usableUntilMs = EVICTED
    return true
  }

  clear(): void {
    this.#entries.clear()
    // What is being made is not kept.
    this.#signing.clear()
  }

  #isUsable(entry: Entry, now: number): boolean {
    // A clock that was set back may have signed for the future, which the server does not take.
    return (
      now >= entry.usableFromMs && now < entry.usableUntilMs && entry.cached.identity === this.#identity()
    )
  }

  async #renew(key: string, target: ConnectionTarget): Promise<CachedToken> {
    const isShared = this.#signing.pending(key) !== undefined
    const cached = await this.#signing.run(key, (isWanted) => this.#make(key, target, isWanted))
    // A token for one login belongs to the caller that started its signing.
    return isShared && cached.isSingleUse ? this.#make(key, target, () => false) : cached
  }

  async #make(key: string, target: ConnectionTarget, isWanted: () => boolean): Promise<CachedToken> {
    const minted = await this.#mint(target)
    const now = this.#clock()
    const dates = readTokenDates(minted.value)
    const expiresMs = Math.min(
      dates?.expiresAt.getTime() ?? minted.expiresMs ?? now,
      minted.expiresMs ?? Number.POSITIVE_INFINITY,
      minted.credentialsExpireMs,
    )
    const former = this.#entries.get(key)?.cached
    const cached: CachedToken = {
      token: new AuthToken(minted.value, new Date(expiresMs)),
      identity: minted.identity,
      madeAt: performance.now(),
      wasAccepted: false,
      isSingleUse: dates === undefined && minted.expiresMs === undefined,
      signer: former && former.identity === minted.identity ? former.signer : { acceptedAt: undefined },
    }
    if (cached.isSingleUse) return cached
    const usableUntilMs = expiresMs - TRANSIT_MS
    if (usableUntilMs <= now) throw endsTooSoon(minted, cached.token.expiresAt)
    if (!isWanted()) return cached
    // Users who never come back must not stay in the cache.
    for (const [other, entry] of this.#entries) {
      if (now >= entry.usableUntilMs) this.#entries.delete(other)
    }
    this.#entries.set(key, {
      cached,
      usableFromMs: dates?.signedAt.getTime() ?? now,
      usableUntilMs,
      refreshAtMs: Math.max(expiresMs - this.#refreshBeforeMs, now + REFRESH_PAUSE_MS),
    })
    return cached
  }
}

function endsTooSoon({ identity }: MintedToken, expiresAt: Date): AuroraIamError {
  const end = `${expiresAt.toISOString()}, sooner than a login takes`
  if (identity === undefined) {
    return new AuroraIamError(
      'ERR_AURORA_IAM_TOKEN_FAILED',
      `No token: tokenProvider gave one that ends at ${end}. Make a new one for each call, and check the clock of this machine.`,
      { option: 'tokenProvider' },
    )
  }
  // A source that renews them at their end needs no fix.
  return new AuroraIamError(
    'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE',
    `credentials: they end at ${end}, and the source gave no newer ones. Renew them, or check the clock of this machine.`,
    { option: 'credentials' },
  )
}
