import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@smithy/types'
import { partitionOf } from '../endpoint/partition.ts'
import { AuroraIamError } from '../errors.ts'
import { CREDENTIALS_REUSE_MS, SHORT_CREDENTIALS_MS, TRANSIT_MS } from '../timings.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'
import { SingleFlight } from '../util/single-flight.ts'
import { defaultChain } from './default-chain.ts'
import { credentialsOfEnvironment } from './environment.ts'
import { ProvenPartition } from './proven-partition.ts'
import { callsTo, callsToChain } from './provider-calls.ts'
import { credentialsUnavailable } from './provider-failure.ts'
import { type ResolvedCredentials, readCredentials } from './resolved-credentials.ts'

/** Evidence of the cached credentials about the clock and about themselves. */
export interface CredentialsEvidence {
  /** When they expire, epoch milliseconds; Infinity if the provider did not say. */
  readonly expiresMs: number
  /** The expiry that the provider named, if the AWS SDK still uses them after that. */
  readonly endedMs: number | undefined
  /** True if they have a session token: they expire, also without a named expiry. */
  readonly isTemporary: boolean
  /** Milliseconds since this process first received them. */
  readonly ageMs: number
  /** Milliseconds that this machine's clock is ahead of that of AWS STS, if STS was asked. */
  readonly clockAheadOfStsMs: number | undefined
}

/** AWS credentials, or a function that gets them: the AWS SDK's own two forms. */
export type CredentialSource = AwsCredentialIdentity | AwsCredentialIdentityProvider

/**
 * Cache of the credentials of one provider. Concurrent callers share one call of the provider, which is bounded in
 * time. A failure is not cached.
 */
export class CredentialCache {
  readonly #source: CredentialSource | undefined
  readonly #profile: string | undefined
  readonly #timeoutMs: number
  readonly #closing: AbortSignal
  readonly #clock: () => number
  readonly #proven = new ProvenPartition()
  /** By the partition of the databases. */
  readonly #flights = new SingleFlight<string, ResolvedCredentials>()
  /** The AWS SDK's chain, and the partition in which it asks AWS STS. */
  #chain: { readonly partition: string; readonly provider: AwsCredentialIdentityProvider } | undefined
  #latest: ResolvedCredentials | undefined
  /** The partition that the latest credentials were resolved for. */
  #partition: string | undefined
  #resolvedAtMs = Number.NEGATIVE_INFINITY
  /** When the latest identity was first resolved, on the monotonic clock. */
  #knownSince = 0
  #isInvalid = false
  /** True after an invalid response: the AWS SDK's chain caches it like credentials, until a refresh is forced. */
  #hasInvalidResponse = false
  /** Difference from the monotonic clock to that of AWS STS, if STS was asked. */
  #stsOffsetMs: number | undefined
  /** Number of calls of the provider. */
  resolutions = 0

  constructor(options: {
    source: CredentialSource | undefined
    profile: string | undefined
    timeoutMs: number
    closing: AbortSignal
    clock: () => number
  }) {
    this.#source = options.source
    this.#profile = options.profile
    this.#timeoutMs = options.timeoutMs
    this.#closing = options.closing
    this.#clock = options.clock
  }

  /** The identity of the cached credentials; undefined before there are any. */
  get identity(): string | undefined {
    return this.#latest?.identity
  }

  /**
   * Returns credentials to sign with, never expired ones.
   *
   * @param region - Region of the database
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE`, `…_TIMEOUT` or `…_INVALID`;
   * `ERR_AURORA_IAM_CONFLICTING_OPTIONS` for a Region in another partition than that of {@link accepted}
   */
  async resolve(region: string): Promise<ResolvedCredentials> {
    const partition = this.#proven.check(region)
    const latest = this.#partition === partition ? this.#latest : undefined
    const now = this.#clock()
    const isRecent = now >= this.#resolvedAtMs && now - this.#resolvedAtMs < CREDENTIALS_REUSE_MS
    if (latest && isRecent && !this.#isInvalid && now < latest.expiresMs - TRANSIT_MS) {
      return latest
    }
    return this.#flights.run(partition, (isWanted) => this.#refresh(region, partition, isWanted))
  }

  /** Records that a database in `region` accepted these credentials. */
  accepted(region: string | undefined): void {
    this.#proven.accept(region)
  }

  /** Returns the evidence that the cached credentials give about the clock of this machine. */
  evidence(): CredentialsEvidence | undefined {
    const latest = this.#latest
    if (!latest) return undefined
    const { expiresMs, endedMs, isTemporary } = latest
    const clockAheadOfStsMs =
      this.#stsOffsetMs === undefined ? undefined : this.#clock() - monotonicMs() - this.#stsOffsetMs
    const ageMs = monotonicMs() - this.#knownSince
    return { expiresMs, endedMs, isTemporary, ageMs, clockAheadOfStsMs }
  }

  /** Makes the next {@link resolve} force a refresh: the database rejected what these credentials signed. */
  invalidate(): void {
    // The refresh after another rejected login serves this one as well.
    if (this.#isInvalid) return
    this.#isInvalid = true
    // A call that began before may return the credentials that were rejected.
    this.#flights.clear()
  }

  async #refresh(region: string, partition: string, isWanted: () => boolean): Promise<ResolvedCredentials> {
    const isForced = this.#isInvalid
    let resolved: ResolvedCredentials
    try {
      resolved = await this.#request(region, isForced)
    } catch (error) {
      // A rejected login does not prove that the credentials are bad: its reason may be the rate. While the provider
      // fails they are used until they expire, and each new token calls it again.
      const latest = this.#partition === partition ? this.#latest : undefined
      if (!isForced || !latest || this.#clock() >= latest.expiresMs - TRANSIT_MS) throw error
      return latest
    }
    if (!isForced && resolved.expiresMs - this.#clock() < SHORT_CREDENTIALS_MS) {
      // A provider that cannot renew yet returns the same credentials, or fails. The cached ones are still valid.
      const renewed = await this.#request(region, true).catch(() => resolved)
      if (renewed.expiresMs > resolved.expiresMs) resolved = renewed
    }
    if (resolved.expiresMs <= this.#clock()) {
      throw new AuroraIamError(
        'ERR_AURORA_IAM_CREDENTIALS_INVALID',
        `credentials: the provider returned credentials that expired at ${new Date(resolved.expiresMs).toISOString()}, ` +
          `and the clock of this machine shows ${new Date(this.#clock()).toISOString()}. Renew them (for SSO: ` +
          '`aws sso login`). If the provider renews them automatically, the clock is probably fast.',
        { option: 'credentials' },
      )
    }
    if (!isWanted()) return resolved
    if (this.#latest?.identity !== resolved.identity) this.#knownSince = monotonicMs()
    this.#latest = resolved
    this.#partition = partition
    this.#resolvedAtMs = this.#clock()
    // An invalidation during the call would have made the answer an unwanted one.
    this.#isInvalid = false
    return resolved
  }

  async #request(region: string, forceRefresh: boolean): Promise<ResolvedCredentials> {
    let answer: unknown
    try {
      answer = await this.#callProvider(region, forceRefresh || this.#hasInvalidResponse)
    } catch (error) {
      throw error instanceof AuroraIamError ? error : credentialsUnavailable(error)
    }
    this.#hasInvalidResponse = true
    const resolved = readCredentials(answer)
    this.#hasInvalidResponse = false
    return resolved
  }

  async #callProvider(region: string, forceRefresh: boolean): Promise<unknown> {
    this.resolutions++
    const source = this.#source ?? credentialsOfEnvironment(this.#profile)
    if (source !== undefined && typeof source !== 'function') return source
    const calls = source ? callsTo(source) : callsToChain(this.#profile)
    const call = async () => {
      const provider = source ?? (await this.#chainFor(region))
      // Loading the chain takes a while.
      this.#closing.throwIfAborted()
      return provider(forceRefresh ? { forceRefresh } : undefined)
    }
    return calls.run(call, { timeoutMs: this.#timeoutMs, signal: this.#closing }, () => {
      // The AWS SDK's chain would let the next call wait for the answer to this one.
      this.#chain = undefined
      return this.#timeoutError()
    })
  }

  async #chainFor(region: string): Promise<AwsCredentialIdentityProvider> {
    const partition = partitionOf(region)
    if (this.#chain?.partition === partition) return this.#chain.provider
    const provider = await defaultChain({
      profile: this.#profile,
      timeoutMs: this.#timeoutMs,
      region,
      onStsDate: (dateMs) => {
        this.#stsOffsetMs = dateMs - monotonicMs()
      },
    })
    this.#chain = { partition, provider }
    return provider
  }

  #timeoutError(): AuroraIamError {
    return new AuroraIamError(
      'ERR_AURORA_IAM_CREDENTIALS_TIMEOUT',
      `credentials: the AWS credential provider did not answer within ${this.#timeoutMs} ms ` +
        '(`credentialsTimeoutMs`). Check that the metadata endpoint or STS can be reached, and that a credential_process ends.',
      { option: 'credentials' },
    )
  }
}
