import type { Permit, PermitLane, PermitOutcome } from '@aurora-iam/rate-limit'
import type { Address } from '../endpoint/address.ts'
import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { addressKey } from '../endpoint/target-key.ts'
import type { SuspectAddresses, UnansweredAttempt } from './suspect-addresses.ts'

/** Where the permits of attempts come from, and where their sockets are watched. */
export interface PermitSource {
  readonly addresses: SuspectAddresses
  /** Waits for another permit, ahead of attempts that have opened no socket. */
  acquireNext(target: ConnectionTarget, turn: PermitTurn): Promise<Permit>
}

/** Place of an attempt in the queue of the limiter. */
export interface PermitTurn {
  readonly lane: PermitLane
  /** The pool that takes turns with others. */
  readonly group: object
}

/** Progress of the socket of an attempt. */
type Progress = 'not opened' | 'connecting' | 'answered'

/**
 * Permit of one login attempt. While the server sends nothing, the permit may go back to the limiter. The attempt then
 * acquires another one before it answers the server; see {@link SuspectAddresses}.
 */
export class AttemptPermit implements UnansweredAttempt {
  /** Where the socket is opened; undefined for a login on an open connection. */
  readonly address: Address | undefined
  readonly #source: PermitSource
  readonly #target: ConnectionTarget
  readonly #turn: PermitTurn
  /** True if {@link SuspectAddresses.enter} reserved room at the address. */
  readonly #isReserved: boolean
  #permit: Permit | undefined
  #id: string | undefined
  /** True while the attempt must acquire a permit before it answers the server. */
  #isMissing: boolean
  #progress: Progress = 'not opened'
  #isOver = false

  constructor(
    source: PermitSource,
    options: {
      readonly target: ConnectionTarget
      /** Where to wait for another permit. */
      readonly turn: PermitTurn
      readonly address: Address | undefined
      /** Undefined without a rate limit, and while the address does not answer. */
      readonly permit: Permit | undefined
      /** True for an attempt that must acquire a permit once its server has answered. */
      readonly isMissing: boolean
    },
  ) {
    this.#source = source
    this.#target = options.target
    this.#turn = options.turn
    this.address = options.address
    this.#permit = options.permit
    this.#id = options.permit?.id
    this.#isMissing = options.isMissing
    this.#isReserved = options.isMissing
  }

  /** The latest permit of the attempt, as the events of the rate limiter name it; undefined without a rate limit. */
  get id(): string | undefined {
    return this.#id
  }

  /** True while the socket is being opened and the server has sent nothing. */
  get isUnanswered(): boolean {
    return this.#progress === 'connecting'
  }

  /** True if the attempt may send a token now. */
  get isUsable(): boolean {
    return !this.#isMissing && !this.#permit?.isLapsed
  }

  /** Reports that the socket is being opened. */
  trackConnect(): void {
    if (this.#isOver || this.#progress !== 'not opened') return
    if (!this.#permit && !this.#isMissing) return
    this.#progress = 'connecting'
    this.#source.addresses.begin(this.#addressKey, this)
  }

  /**
   * Reports the server's first bytes.
   *
   * @returns undefined if the attempt holds a permit, else a promise that resolves when it holds another one
   */
  confirm(): Promise<void> | undefined {
    this.#recordAnswer()
    return this.#isMissing && !this.#isOver ? this.acquireAgain() : undefined
  }

  /**
   * Returns undefined if an attempt whose token leaves without another look holds what it needs, else a promise that
   * resolves when it does.
   */
  confirmEarly(): Promise<void> | undefined {
    // A holder that does not track its socket cannot hold back its answer.
    const isUntracked = this.#isMissing && this.#progress === 'not opened'
    return isUntracked || this.#permit?.isLapsed ? this.acquireAgain() : undefined
  }

  returnPermit(): void {
    if (!this.#permit) return
    // The server has sent nothing, so it has counted nothing.
    this.#permit.cancel()
    this.#permit = undefined
    this.#isMissing = true
  }

  /** Waits for another permit, in place of one that has lapsed or went back. */
  async acquireAgain(): Promise<void> {
    // A socket was opened for a permit that has lapsed: a server that counts those has counted it.
    this.#permit?.release('failed')
    this.#permit = undefined
    this.#isMissing = true
    const permit = await this.#source.acquireNext(this.#target, this.#turn)
    if (this.#isOver) {
      permit.cancel()
      throw new Error('The connection closed while it waited for another permit of the rate limit.')
    }
    this.#isMissing = false
    this.#permit = permit
    this.#id = permit.id
  }

  /** Ends the attempt: the server may have counted it. */
  release(outcome?: PermitOutcome): void {
    this.#isOver = true
    this.#permit?.release(outcome)
    this.#recordAnswer()
    this.#leaveUnopened()
  }

  /** Ends the attempt: the server has not counted it. `isFault`: its address did not answer. */
  cancel({ isFault = false }: { readonly isFault?: boolean } = {}): void {
    this.#isOver = true
    this.#permit?.cancel()
    if (this.#progress === 'connecting') this.#source.addresses.ended(this.#addressKey, this, isFault)
    else this.#leaveUnopened()
  }

  #recordAnswer(): void {
    if (this.#progress !== 'connecting') return
    this.#progress = 'answered'
    this.#source.addresses.answered(this.#addressKey, this)
  }

  #leaveUnopened(): void {
    if (this.#progress === 'not opened' && this.#isReserved) this.#source.addresses.leave(this.#addressKey)
  }

  get #addressKey(): string {
    return addressKey(this.address as Address)
  }
}
