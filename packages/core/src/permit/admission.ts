import type { Permit, RateLimiter } from '@aurora-iam/rate-limit'
import type { Address } from '../endpoint/address.ts'
import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { addressKey } from '../endpoint/target-key.ts'
import { AttemptPermit, type PermitSource, type PermitTurn } from './attempt-permit.ts'
import type { EndpointLimiters } from './endpoint-limiters.ts'
import { PermitWaits } from './permit-waits.ts'
import { SuspectAddresses } from './suspect-addresses.ts'
import { withSignals } from './until-aborted.ts'

/** Options of {@link Admission.admit}. */
export interface AdmissionOptions extends PermitTurn {
  readonly signal: AbortSignal | undefined
  /** True for a login on an open connection: nothing is dialled. */
  readonly isOpen: boolean
}

/** Admits login attempts: each waits for a permit of the rate limit, or for room at an address that does not answer. */
export class Admission implements PermitSource {
  readonly addresses = new SuspectAddresses()
  readonly #limiters: EndpointLimiters
  readonly #waits: PermitWaits
  readonly #maxWaitMs: number
  readonly #closing: AbortSignal

  constructor(limiters: EndpointLimiters, limits: { maxWaitMs: number; closing: AbortSignal }) {
    this.#limiters = limiters
    this.#waits = new PermitWaits(limiters, limits)
    this.#maxWaitMs = limits.maxWaitMs
    this.#closing = limits.closing
  }

  /**
   * Waits until an attempt may open its socket, and calls the caller's `dial` once to ask where.
   *
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_RATE_LIMITED`, `ERR_AURORA_IAM_CLOSED`, `ERR_AURORA_IAM_ABORTED`;
   * and whatever the caller's `dial` throws
   */
  async admit(
    target: ConnectionTarget,
    { signal, lane, group, isOpen }: AdmissionOptions,
  ): Promise<AttemptPermit> {
    const limiter = this.#limiters.limiterOf(target)
    const admitted = (address: Address | undefined, permit: Permit | undefined, isMissing: boolean) =>
      new AttemptPermit(this, { target, turn: { lane, group }, address, permit, isMissing })
    if (!limiter) return admitted(isOpen ? undefined : target.dial(target), undefined, false)
    let address = isOpen ? undefined : target.fixedAddress
    let permit: Permit | undefined
    try {
      for (;;) {
        if (address && this.addresses.isSuspect(addressKey(address))) {
          permit?.cancel()
          permit = undefined
          await this.#enter(address, limiter, signal)
          if (this.addresses.isSuspect(addressKey(address))) return admitted(address, undefined, true)
        } else if (permit && (address || isOpen)) return admitted(address, permit, false)
        else if (permit) address = target.dial(target)
        else permit = await this.#waits.acquire(limiter, target, { signal, lane, group })
      }
    } catch (error) {
      permit?.cancel()
      throw error
    }
  }

  /**
   * Admits an attempt as {@link admit} does, where it need not wait, nor ask the caller. Returns undefined in every
   * other case.
   */
  tryAdmit(target: ConnectionTarget, turn: PermitTurn): AttemptPermit | undefined {
    const { fixedAddress: address } = target
    if (!address) return undefined
    if (this.#limiters.isUnlimited) {
      return new AttemptPermit(this, { target, turn, address, permit: undefined, isMissing: false })
    }
    const limiter = this.#limiters.knownLimiterOf(target)
    if (!limiter || this.addresses.isSuspect(addressKey(address))) return undefined
    const permit = this.#waits.tryAcquire(limiter, turn.lane)
    return permit && new AttemptPermit(this, { target, turn, address, permit, isMissing: false })
  }

  async acquireNext(target: ConnectionTarget, turn: PermitTurn): Promise<Permit> {
    // The attempt had a permit of this limiter, or was admitted without one while its address was suspect.
    return this.#waits.acquireNext(this.#limiters.limiterOf(target) as RateLimiter, target, turn)
  }

  #enter(address: Address, limiter: RateLimiter, signal: AbortSignal | undefined): Promise<void> {
    const timeoutMs = this.#maxWaitMs
    return withSignals(
      (signals) => this.addresses.enter(addressKey(address), limiter, { timeoutMs, signals }),
      this.#closing,
      signal,
    )
  }
}
