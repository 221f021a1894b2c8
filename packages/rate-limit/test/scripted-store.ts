import type { StoreReply } from '../src/fleet/store-reply.ts'
import type { StoreRequest } from '../src/fleet/store-request.ts'
import { type FleetEngine, fleetStore, type RateLimitStore } from '../src/index.ts'
import type { SimulatedClock } from './simulated-clock.ts'

export const roundTripMs = 20

/** Error that a request is rejected with. */
export const lostError = new Error('The connection was lost.')

interface OpenStep {
  readonly resolve: (reply: number[]) => void
  readonly reject: (error: Error) => void
}

/** Store whose replies a test gives: what a store may do that the real script never does, or not at that moment. */
export class ScriptedStore implements FleetEngine, RateLimitStore {
  readonly createPermits = fleetStore(this).createPermits
  /** Every request so far, and its key. */
  readonly requests: StoreRequest[] = []
  readonly keys: string[] = []
  readonly #open: OpenStep[] = []
  readonly #clock: SimulatedClock

  constructor(clock: SimulatedClock) {
    this.#clock = clock
  }

  step(key: string, message: string): Promise<number[]> {
    const request = JSON.parse(message) as StoreRequest
    this.requests.push(request)
    this.keys.push(key)
    return new Promise((resolve, reject) => this.#open.push({ resolve, reject }))
  }

  /** The last request. */
  get last(): StoreRequest {
    return this.requests.at(-1) as StoreRequest
  }

  /** Takes the oldest request that has no reply, to end it later than those behind it. */
  takeOpen(): { reply: ScriptedStore['reply']; fail: OpenStep['reject'] } {
    const { resolve, reject } = this.#next()
    return { reply: (...reply) => resolve(this.#replyOf(...reply)), fail: reject }
  }

  /** Replies to the oldest request that has no reply; `held` are permits, and how long until each may be used. */
  reply(
    reply: Partial<Omit<StoreReply, 'held'>>,
    held: readonly (readonly [id: number, waitMs: number])[] = [],
  ): void {
    this.#next().resolve(this.#replyOf(reply, held))
  }

  /** Replies a round trip from now, and lets happen what follows at once. */
  async answer(...reply: Parameters<ScriptedStore['reply']>): Promise<void> {
    await this.#clock.advance(roundTripMs)
    this.reply(...reply)
    await this.#clock.advance(0)
  }

  /** Rejects the oldest request a round trip from now. */
  async fail(error: Error = lostError): Promise<void> {
    await this.#clock.advance(roundTripMs)
    this.#next().reject(error)
    await this.#clock.advance(0)
  }

  /** Rejects every request within this time, each a round trip after it was sent. Returns when each was sent. */
  async failFor(durationMs: number): Promise<number[]> {
    const startedAt = this.#clock.now()
    const sent: number[] = []
    await this.#clock.advance(0)
    for (let passedMs = 0; passedMs < durationMs; passedMs = this.#clock.now() - startedAt) {
      if (this.#open.length > 0) {
        sent.push(passedMs)
        await this.fail()
      } else await this.#clock.advance(1)
    }
    return sent
  }

  /** Returns how many requests are sent within this time. */
  async sentWithin(durationMs: number): Promise<number> {
    const before = this.requests.length
    await this.#clock.advance(durationMs)
    return this.requests.length - before
  }

  #replyOf(reply: Partial<Omit<StoreReply, 'held'>>, held: readonly (readonly number[])[] = []): number[] {
    return [...headerOf({ now: 1_000_000 + Math.floor(this.#clock.now()), ...reply }), ...held.flat()]
  }

  #next(): OpenStep {
    const open = this.#open.shift()
    if (open === undefined) throw new Error('No request is under way.')
    return open
  }
}

/** Returns the numbers of a reply, in the order of the protocol. */
function headerOf(reply: Partial<Omit<StoreReply, 'held'>>): number[] {
  const { now = 0, isLate = false, born = 1, limit = 20, effectiveLimit = limit, processes = 1 } = reply
  const { retryMs = 1000, share = 0, renewMs = 0, slowestLeaseMs = 500, firstAdopted = 1000 } = reply
  const { turns = [0, 0], waiting = 0, inUse = 0 } = reply
  return [
    ...[now, isLate ? 1 : 0, born, limit, effectiveLimit, processes, retryMs, share, renewMs, slowestLeaseMs],
    ...[firstAdopted, ...turns, waiting, inUse],
  ]
}
