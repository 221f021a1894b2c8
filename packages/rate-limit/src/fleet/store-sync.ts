import { publish } from '../events.ts'
import type { CompleteOptions } from '../options.ts'
import type { Permit } from '../permit.ts'
import type { RateLimitStore } from '../store.ts'
import { FleetClockWatch } from './clock-step-detector.ts'
import { FleetLeases, type Instant, leaseMs } from './leases.ts'
import { FleetOutage } from './outage.ts'
import { StoreClient } from './store-client.ts'
import type { FleetAnswer } from './store-reply.ts'

/** So far ahead of its time a place is reserved: enough to ask once for many, and for the way there and back. */
const aheadMs = 200

/** How often a store that is lost is tried, while somebody waits. */
const probeEveryMs = 250

/**
 * What one process has to say to the store, and when: one step at a time, at once when somebody wants a permit or gives
 * one back unused, otherwise when there is a reason.
 */
export class StoreSync {
  readonly leases = new FleetLeases()
  readonly #options: CompleteOptions
  readonly #key: string | undefined
  readonly #link: StoreClient
  readonly #wake: () => void
  readonly #clockWatch = new FleetClockWatch()
  readonly #process = crypto.randomUUID()
  /** The limit that this process names. */
  limit: number
  /** What the store last said; undefined before it ever answered. */
  fleet: Pick<FleetAnswer, 'limit' | 'effectiveLimit' | 'processes'> | undefined
  outage: FleetOutage | undefined
  #want = 0
  /** When attempts ended that no lease covered. */
  #others: number[] = []
  #reset: number | undefined
  #retryAt = Number.NEGATIVE_INFINITY
  #isAsking = false
  #timer: { at: number; cancel: () => void } | undefined

  /** @param wake - is called when permits may be at hand that were not. */
  constructor(options: CompleteOptions, store: RateLimitStore, key: string | undefined, wake: () => void) {
    this.#options = options
    this.#key = key
    this.#wake = wake
    this.#link = new StoreClient(store, key ?? 'default', options.clock, leaseMs, () => this.#plan())
    this.limit = options.limit
  }

  /** How many more permits are wanted than are at hand. */
  want(count: number): void {
    this.#want = count
    if (count === 0) this.#retryAt = Number.NEGATIVE_INFINITY
    this.#plan()
  }

  /** A permit to go on with while the store is lost, or when to ask again. */
  takeAlone(now: number, requestedAt: number): Permit | number {
    if (this.outage === undefined) return Number.POSITIVE_INFINITY
    return this.outage.take(now, requestedAt, this.#link.isOpen)
  }

  /** An attempt ended that no lease covered: it counts for the fleet all the same. */
  ended(at: number): void {
    this.#others.push(at)
    this.#plan()
  }

  #plan(): void {
    if (this.#isAsking) return
    const { clock } = this.#options
    const now = clock.now()
    const at = this.#dueAt()
    if (this.#timer !== undefined && this.#timer.at === at) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (at === Number.POSITIVE_INFINITY) return
    if (at <= now) {
      this.#isAsking = true
      // Whatever else the caller does in this turn, such as asking for more, goes along.
      queueMicrotask(() => this.#ask())
      return
    }
    const look = () => {
      this.#timer = undefined
      this.#plan()
    }
    this.#timer = { at, cancel: clock.setTimer(look, Math.ceil(at - now), true) }
  }

  #dueAt(): number {
    const { outage } = this
    if (outage !== undefined) {
      if (this.#want === 0) return Number.POSITIVE_INFINITY
      return Math.max(outage.confirmedAt + probeEveryMs, this.#link.freeAt)
    }
    const wantAt = this.#want > 0 ? this.#retryAt : Number.POSITIVE_INFINITY
    return Math.min(wantAt, this.leases.dueAt())
  }

  #ask(): void {
    const sent = this.#instant()
    const report = this.leases.report(sent.now)
    const others = this.#others
    this.#others = []
    const { intervalMs, recoveryIntervalMs } = this.#options
    const request = {
      process: this.#process,
      at: this.#clockWatch.storeTime(sent),
      limit: this.limit,
      interval: Math.ceil(intervalMs),
      recover: recoveryIntervalMs,
      lease: leaseMs,
      ahead: aheadMs,
      want: this.#want,
      ...report,
      others: others.map((at) => Math.floor(sent.now - at)),
      rejoins: this.outage?.alone !== undefined,
      known: this.outage?.processes ?? this.fleet?.processes,
      reset: this.#reset,
    }
    this.#link
      .ask(request)
      .then(
        (answer) => {
          const received = this.#instant()
          if (this.#clockWatch.hasStepped(answer, sent, received)) {
            // What it granted may not be free yet. Everything has to rest once, as after a loss.
            this.#reset = answer.born
            this.#retryAt = received.now
            return
          }
          this.#reset = undefined
          this.leases.update(answer, report, sent, received.now)
          // From when it was asked: so the next question arrives when it should.
          this.#retryAt = sent.now + answer.retryMs
          this.#learn(answer, sent.now)
        },
        (error: Error) => {
          this.#others = [...others, ...this.#others].filter((at) => sent.now - at < 2 * intervalMs + leaseMs)
          this.#lost(error)
        },
      )
      .finally(() => {
        this.#isAsking = false
        this.#wake()
        this.#plan()
      })
  }

  #learn({ limit, effectiveLimit, processes, aloneForMs }: FleetAnswer, sentAt: number): void {
    const from = this.fleet?.limit ?? this.limit
    this.fleet = { limit, effectiveLimit, processes }
    if (limit < from) {
      publish('aurora-iam:rate-limit:lowered', () => ({ key: this.#key, from, to: limit }))
    }
    const { outage } = this
    if (outage === undefined) return
    if (outage.alone !== undefined && aloneForMs > 0) {
      outage.confirmedAt = this.#options.clock.now()
      outage.endsAt = sentAt + aloneForMs
      return
    }
    this.outage = undefined
    publish('aurora-iam:rate-limit:store-back', () => ({
      key: this.#key,
      lostForMs: this.#options.clock.now() - outage.since,
    }))
  }

  #lost(error: Error): void {
    if (this.outage !== undefined) {
      this.outage.error = error
      this.outage.confirmedAt = this.#options.clock.now()
      return
    }
    const { share, onStoreLost, clock } = this.#options
    // Before the store ever said how many processes there are, the careful guess is one for each place.
    const processes = this.fleet?.processes ?? share?.processes ?? this.limit
    const limit = this.fleet?.limit ?? this.limit
    this.outage = new FleetOutage({ ...this.#options, limit, share: { processes } }, this.#key, error)
    this.outage.alone?.onAvailable(this.#wake)
    const alone = this.outage.alone?.counts(clock.now()).limit ?? 0
    publish('aurora-iam:rate-limit:store-lost', () => ({ key: this.#key, error, onStoreLost, limit: alone }))
  }

  #instant(): Instant {
    return { now: this.#options.clock.now(), wall: Date.now() }
  }
}
