import type { Permit, PermitLane, RateLimiter } from '@aurora-iam/rate-limit'
import type { TokenTarget } from '../endpoint/connection-target.ts'
import { linkSignals } from '../util/abortable.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'
import type { PermitTurn } from './attempt-permit.ts'
import type { EndpointLimiters } from './endpoint-limiters.ts'
import { abortedError } from './permit-errors.ts'

/** Wait of one login for its permit. */
interface PermitWait extends PermitTurn {
  readonly signal: AbortSignal | undefined
}

/** Waits of logins for their permits: new ones in the limiter's queue, those with an open socket ahead of them. */
export class PermitWaits {
  readonly #limiters: EndpointLimiters
  readonly #maxWaitMs: number
  readonly #closing: AbortSignal
  /** Attempts that have an open socket and wait for another permit, by limiter, oldest first. */
  readonly #urgent = new WeakMap<RateLimiter, Array<(permit: Permit) => void>>()

  /** @param closing - ends the waits for a permit of the caller's limiter, which is not closed here */
  constructor(
    limiters: EndpointLimiters,
    { maxWaitMs, closing }: { maxWaitMs: number; closing: AbortSignal },
  ) {
    this.#limiters = limiters
    this.#maxWaitMs = maxWaitMs
    this.#closing = closing
  }

  /**
   * Returns a permit of `limiter` if one is free now, and no attempt with an open socket waits for it. The limiter of a
   * caller may not be able to tell.
   */
  tryAcquire(limiter: RateLimiter, lane: PermitLane): Permit | undefined {
    if (this.#urgent.get(limiter)?.length) return undefined
    return limiter.tryAcquire?.(lane === 'live' ? undefined : { lane })
  }

  /**
   * Waits for a permit of `limiter`, which is that of `target`.
   *
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_RATE_LIMITED`, `ERR_AURORA_IAM_CLOSED`, `ERR_AURORA_IAM_ABORTED`
   */
  async acquire(limiter: RateLimiter, target: TokenTarget, wait: PermitWait): Promise<Permit> {
    const deadline = monotonicMs() + this.#maxWaitMs
    const { signal, unlink } = this.#signalFor(limiter, wait.signal)
    const { lane, group } = wait
    try {
      for (;;) {
        const timeoutMs = Math.max(0, deadline - monotonicMs())
        const permit = await limiter.acquire({ timeoutMs, lane, group, ...(signal && { signal }) })
        const urgent = this.#urgent.get(limiter)?.shift()
        if (!urgent) return permit
        urgent(permit)
        if (wait.signal?.aborted) throw abortedError(wait.signal.reason)
      }
    } catch (error) {
      throw this.#limiters.explain(error, target)
    } finally {
      unlink?.()
    }
  }

  /**
   * Waits for the permit of an attempt whose socket is open. It gets the next permit of this AuroraIam, before attempts
   * that came earlier: the server has limited time for a login that it has greeted.
   */
  async acquireNext(limiter: RateLimiter, target: TokenTarget, turn: PermitTurn): Promise<Permit> {
    const served = new AbortController()
    const urgent = this.#urgent.get(limiter) ?? []
    this.#urgent.set(limiter, urgent)
    let give: (permit: Permit) => void = () => {}
    const given = new Promise<Permit>((resolve) => {
      give = (permit) => {
        resolve(permit)
        served.abort()
      }
    })
    urgent.push(give)
    // It waits in the queue as well, so that a permit comes when no other attempt waits.
    const inQueue = this.acquire(limiter, target, { ...turn, signal: served.signal })
    try {
      // The permit goes to the oldest attempt that waits, so one that comes back here has no taker any more.
      return await Promise.race([given, inQueue.then((spare) => spare.cancel()).then(() => given)])
    } finally {
      const index = urgent.indexOf(give)
      if (index >= 0) urgent.splice(index, 1)
    }
  }

  #signalFor(
    limiter: RateLimiter,
    signal: AbortSignal | undefined,
  ): { readonly signal: AbortSignal | undefined; readonly unlink?: () => void } {
    if (!this.#limiters.isOfCaller(limiter)) return { signal }
    return signal ? linkSignals([signal, this.#closing]) : { signal: this.#closing }
  }
}
