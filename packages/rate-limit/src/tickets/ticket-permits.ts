import { publish } from '../events.ts'
import type { CompleteOptions } from '../limiter-options.ts'
import { AdaptiveLimit } from '../local/adaptive-limit.ts'
import type { Permit, PermitLane } from '../permit.ts'
import { PermitLedger } from '../permit-ledger.ts'
import type { Demand, PermitCounts, PermitSource } from '../permit-source.ts'
import type { TicketCounter } from '../store.ts'
import { storeFailure } from '../store-failure.ts'
import { drawTicket } from './draw-ticket.ts'

/** The last packet of an attempt arrives within this after the last look at its permit. */
const lastPacketMs = 50

/** Tickets drawn at once: each takes a round trip. */
const drawsAtOnce = 4

/** Permission to make one attempt in the first moments of a block. */
interface Ticket {
  /** Start of its block by the wall clock. */
  readonly startAt: number
  /** Its position among the tickets of the block, from 0. */
  readonly index: number
}

const firstRetryMs = 250
const longestRetryMs = 4000

/**
 * Permits by numbered tickets. Time is cut in blocks by the wall clock, and each block has `limit` tickets, which are
 * used in its first moments. A block is longer than the interval by what these moments and the clocks' difference take:
 * so the last attempt of a block and the first of the next are an interval apart.
 */
export class TicketPermits implements PermitSource {
  readonly #options: CompleteOptions
  readonly #store: TicketCounter
  readonly #key: string | undefined
  readonly #ledger: PermitLedger
  readonly #blockMs: number
  /** A process with a smaller limit than the fleet leaves the last tickets of each block unused. */
  readonly #limit: AdaptiveLimit
  /** Tickets that this process holds, soonest first. */
  #tickets: Ticket[] = []
  #wanted: Demand = { live: 0, background: 0 }
  #drawing = 0
  #failures = 0
  #retryAt = Number.NEGATIVE_INFINITY
  #error: Error | undefined
  #lostAt = 0
  #lastEndedAt = Number.NEGATIVE_INFINITY
  #cancelTimer: (() => void) | undefined
  #onAvailable: () => void = () => {}

  /** @param key - the key of a shared limiter. */
  constructor(options: CompleteOptions, store: TicketCounter, key: string | undefined) {
    this.#options = options
    this.#store = store
    this.#key = key
    this.#ledger = new PermitLedger(options, key)
    this.#limit = new AdaptiveLimit(options)
    this.#blockMs = Math.ceil(options.intervalMs + store.handshakeMs + lastPacketMs + store.toleranceMs)
  }

  onAvailable(listener: () => void): void {
    this.#onAvailable = listener
  }

  take(now: number, requestedAt: number, lane: PermitLane): Permit | number {
    this.#ledger.expire(now)
    if (this.#ledger.inFlight >= this.#options.maxInFlight) return this.#ledger.expiresAt
    this.#dropUnusable(now)
    const [ticket] = this.#tickets
    if (ticket === undefined) return Number.POSITIVE_INFINITY
    const { startAt } = ticket
    const wall = Date.now()
    if (startAt > wall) return now + (startAt - wall)
    this.#tickets.shift()
    return this.#ledger.grant(now, requestedAt, lane, {
      isLapsed: () => Date.now() >= startAt + this.#store.handshakeMs || Date.now() < startAt,
      onEnd: (ending, at) => {
        this.#lastEndedAt = at
        // Nothing was sent: another request may use the ticket.
        if (ending === 'cancelled') this.#tickets.unshift(ticket)
        if (ending === 'throttled') this.#slowDown(now, at)
        // Expiry is noticed while the queue looks for a permit, which goes on after that.
        if (ending !== 'expired') this.#onAvailable()
      },
    })
  }

  demand(waiting: Demand): void {
    this.#wanted = waiting
    this.#draw()
  }

  estimateWaitMs(_now: number, ahead: number): number {
    return (Math.floor(ahead / this.#options.limit) + 1) * this.#blockMs
  }

  /** Lowers the limit of this process: tickets are numbered by the limit of the fleet, which stays. */
  lower(limit: number): void {
    const from = this.#limit.limit
    if (limit >= from) return
    this.#limit.lower(limit)
    publish('aurora-iam:rate-limit:lowered', () => ({ key: this.#key, from, to: limit }))
  }

  counts(now: number): PermitCounts {
    this.#ledger.expire(now)
    this.#dropUnusable(now)
    const wall = Date.now()
    return {
      ...this.#ledger.counts,
      limit: this.#limit.limit,
      effectiveLimit: this.#error === undefined ? this.#limit.at(now) : 0,
      available: this.#tickets.filter(({ startAt }) => startAt <= wall).length,
      inFlight: this.#ledger.inFlight,
      dryRunDelayed: 0,
      dryRunMaxWaitMs: 0,
      processes: 1,
      fleetInUse: 0,
      fleetWaiting: 0,
      share: 0,
      storeLost: this.#error !== undefined,
    }
  }

  isIdle(now: number): boolean {
    this.#ledger.expire(now)
    return this.#ledger.inFlight === 0 && now - this.#lastEndedAt > 2 * this.#blockMs
  }

  /** Returns at once: the use of a ticket is not reported. */
  async flush(): Promise<void> {}

  /** Returns at once: nothing runs while no request waits. */
  rest(): void {}

  get degradedBy(): Error | undefined {
    return this.#error
  }

  #draw(): void {
    const { clock, limit, maxWaitMs, maxInFlight } = this.#options
    const now = clock.now()
    const { live, background } = this.#wanted
    const room = Math.min(live + background, maxInFlight - this.#ledger.inFlight)
    if (now < this.#retryAt) return
    while (this.#drawing < drawsAtOnce && this.#drawing + this.#tickets.length < room) {
      this.#drawing += 1
      const wall = Date.now()
      // The block under way is over for those who come later than at its very start.
      const atLeast = (Math.floor(wall / this.#blockMs) + 1) * limit
      const atMost = (Math.floor((wall + maxWaitMs) / this.#blockMs) + 1) * limit - 1
      const shape = `${limit}/${this.#blockMs}`
      drawTicket(this.#store, clock, [this.#key ?? 'default', shape, atLeast, atMost])
        .then(
          (ticket) => this.#receive(ticket),
          (error) => this.#lose(storeFailure(error)),
        )
        .finally(() => {
          this.#drawing -= 1
          this.#onAvailable()
        })
    }
  }

  #receive(ticket: number | undefined): void {
    const { clock } = this.#options
    if (this.#error !== undefined) {
      const lostForMs = clock.now() - this.#lostAt
      publish('aurora-iam:rate-limit:store-back', () => ({ key: this.#key, lostForMs }))
    }
    this.#error = undefined
    this.#failures = 0
    // All tickets up to the longest wait are drawn: there are more when some time has passed.
    if (ticket === undefined) {
      this.#retryIn(this.#blockMs)
      return
    }
    const { limit } = this.#options
    this.#tickets.push({ startAt: Math.floor(ticket / limit) * this.#blockMs, index: ticket % limit })
    this.#tickets.sort((one, other) => one.startAt - other.startAt)
  }

  #dropUnusable(now: number): void {
    const wall = Date.now()
    const limit = this.#limit.at(now)
    this.#tickets = this.#tickets.filter(
      ({ startAt, index }) => wall < startAt + this.#store.handshakeMs && index < limit,
    )
  }

  #slowDown(grantedAt: number, now: number): void {
    this.#limit.throttled(grantedAt, now)
    publish('aurora-iam:rate-limit:throttled', () => ({
      key: this.#key,
      effectiveLimit: this.#limit.at(now),
    }))
  }

  #lose(error: Error): void {
    const { clock, onStoreLost } = this.#options
    if (this.#error === undefined) {
      this.#lostAt = clock.now()
      publish('aurora-iam:rate-limit:store-lost', () => ({ key: this.#key, error, onStoreLost, limit: 0 }))
    }
    this.#error = error
    this.#failures += 1
    this.#retryIn(Math.min(longestRetryMs, firstRetryMs * 2 ** (this.#failures - 1)))
  }

  #retryIn(delayMs: number): void {
    const { clock } = this.#options
    const jitteredMs = delayMs * (0.8 + 0.4 * Math.random())
    this.#retryAt = clock.now() + jitteredMs
    this.#cancelTimer?.()
    this.#cancelTimer = clock.setTimer(() => this.#draw(), Math.ceil(jitteredMs) + 1, true)
  }
}
