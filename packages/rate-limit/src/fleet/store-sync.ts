import { publish } from '../events.ts'
import type { CompleteOptions } from '../options.ts'
import type { Demand } from '../permit-source.ts'
import { type RateLimitStore, StoreConflictError } from '../store.ts'
import { ClockStepDetector } from './clock-step-detector.ts'
import { type FleetLease, FleetLeases, type Instant, type LeaseReport } from './leases.ts'
import { type DegradedAttempt, FleetOutage } from './outage.ts'
import { RoundTrip } from './round-trip.ts'
import { readStoreReply, type StoreReply } from './store-reply.ts'

/** The last packet of a holder that lost its lease arrives within this; see `GRACE` in `fleet-step.lua`. */
const graceMs = 1000

/** The margins of `fleet-step.lua` on an interval. */
const marginMs = 3

/** A share that was promised longer ago may belong to another process; the store forgets it a little later. */
const shareValidMs = 50_000

/** Before the first reply, the connection may still have to be opened. */
const firstPatienceMs = 3000

/** Bounds of the exponential backoff while the store is lost. */
const firstRetryMs = 250
const longestRejectedRetryMs = 2000
const longestSilentRetryMs = 4000
const longestColdRetryMs = 30_000

interface Request {
  readonly serial: number
  readonly sent: Instant
  readonly leaseMs: number
  readonly report: LeaseReport
  readonly others: readonly number[]
  readonly adopting: readonly DegradedAttempt[]
}

/** Requests of one process to the store: one at a time, as soon as there is a reason for one. */
export class StoreSync {
  readonly leases = new FleetLeases()
  /** The limit that this process names. */
  limit: number
  /** The last reply that was in time; undefined before the first. */
  fleet: StoreReply | undefined
  outage: FleetOutage | undefined
  readonly #options: CompleteOptions
  readonly #key: string | undefined
  readonly #store: RateLimitStore
  readonly #onAvailable: () => void
  readonly #clockSteps = new ClockStepDetector()
  readonly #roundTrip = new RoundTrip()
  readonly #process = crypto.randomUUID()
  #want: Demand = { live: 0, background: 0 }
  #turns: readonly [number, number] = [0, 0]
  /** True for a lane in which this process may stand in the queue of the store, by lane. */
  #isInLine = { live: false, background: false }
  /** When attempts ended that no lease covered. */
  #others: number[] = []
  #resetOf: number | undefined
  #heardAt: Instant | undefined
  #serial = 0
  #lastReply = 0
  #open: Request | undefined
  #isOverdue = false
  #failures = 0
  #failedAt = Number.NEGATIVE_INFINITY
  #retryAt = Number.NEGATIVE_INFINITY
  #renewAt = Number.POSITIVE_INFINITY
  #isScheduled = false
  #isResting = false
  #flushes: (() => void)[] = []
  #timer: { at: number; cancel: () => void } | undefined

  /** @param onAvailable - is called when permits may be available that were not. */
  constructor(
    options: CompleteOptions,
    store: RateLimitStore,
    key: string | undefined,
    onAvailable: () => void,
  ) {
    this.#options = options
    this.#store = store
    this.#key = key
    this.#onAvailable = onAvailable
    this.limit = options.limit
  }

  /** Sets how many more permits are wanted than this process holds. */
  want(demand: Demand): void {
    const { live, background } = this.#want
    if ((demand.live > 0 && live === 0) || (demand.background > 0 && background === 0)) {
      this.#retryAt = Number.NEGATIVE_INFINITY
    }
    if (demand.live + demand.background > 0) this.#isResting = false
    this.#want = demand
    this.#plan()
  }

  /** Returns an attempt to go on with while the store is lost, or when to ask again. */
  takeDegraded(): DegradedAttempt | number {
    return this.outage?.take(this.#instant()) ?? Number.POSITIVE_INFINITY
  }

  /** Notes the end of an attempt that no lease covered: it counts for the fleet all the same. */
  endDegraded(at: number): void {
    this.#others.push(at)
    this.#plan()
  }

  /** Notes that something about the leases has changed. */
  update(): void {
    this.#plan()
  }

  /** Resolves when the store has received what ended so far, or cannot be reached. */
  flush(): Promise<void> {
    if (!this.#hasReports || this.outage !== undefined) return Promise.resolve()
    return new Promise((resolve) => {
      this.#flushes.push(resolve)
      this.#plan()
    })
  }

  /** Gives its share back to the fleet and stops calling while nothing is wanted. */
  rest(): void {
    if (this.#isResting) return
    this.#isResting = true
    this.#renewAt = this.outage === undefined && this.#heardAt !== undefined ? 0 : Number.POSITIVE_INFINITY
    this.#plan()
  }

  get #hasReports(): boolean {
    return this.leases.hasReports || this.#others.length > 0
  }

  #plan(): void {
    if (this.#isScheduled) return
    const { clock } = this.#options
    const now = clock.now()
    const at = this.#dueAt()
    if (this.#timer !== undefined && this.#timer.at === at) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (at === Number.POSITIVE_INFINITY) return
    if (at <= now) {
      this.#isScheduled = true
      // Whatever else the caller does in this turn, such as asking for more, goes along.
      queueMicrotask(() => {
        this.#isScheduled = false
        this.#act()
      })
      return
    }
    const act = () => {
      this.#timer = undefined
      this.#act()
    }
    this.#timer = { at, cancel: clock.setTimer(act, Math.ceil(at - now), true) }
  }

  #act(): void {
    const now = this.#options.clock.now()
    const open = this.#open
    if (open !== undefined && !this.#isOverdue && now >= this.#overdueAt(open)) this.#overdue(open)
    else if (now >= this.#askAt()) this.#ask()
    this.#plan()
  }

  #dueAt(): number {
    const open = this.#open
    const overdueAt = open === undefined || this.#isOverdue ? Number.POSITIVE_INFINITY : this.#overdueAt(open)
    return Math.min(overdueAt, this.#askAt())
  }

  #overdueAt({ sent }: Request): number {
    const patienceMs = this.#heardAt === undefined ? firstPatienceMs : this.#roundTrip.patienceMs
    return sent.now + patienceMs
  }

  /** Returns the instant to send the next request at. */
  #askAt(): number {
    const reason = this.#reasonAt()
    if (reason === Number.POSITIVE_INFINITY) return reason
    const longest = this.#heardAt === undefined ? longestColdRetryMs : longestSilentRetryMs
    if (this.#open !== undefined) {
      // A client that is cut off keeps what it was given: another request makes sense when this one is lost for sure.
      return Math.max(this.#open.sent.now + this.#backoff(2000, longest), this.#overdueAt(this.#open))
    }
    if (this.outage === undefined || this.#failures === 0) return reason
    return Math.max(reason, this.#failedAt + this.#backoff(firstRetryMs, longestRejectedRetryMs))
  }

  #backoff(firstMs: number, longestMs: number): number {
    return Math.min(longestMs, firstMs * 2 ** Math.max(0, this.#failures - 1)) * this.#jitter
  }

  /** Spreads the retries of many processes; constant between two requests, so that plans are stable. */
  #jitter = 1

  #reasonAt(): number {
    const isWanted = this.#want.live + this.#want.background > 0
    if (this.outage !== undefined) {
      const isKept = this.outage.limit > 0 && this.#options.onStoreLost === 'share' && !this.#isResting
      return isWanted || isKept || this.outage.attempts.size > 0 ? 0 : Number.POSITIVE_INFINITY
    }
    if (this.#flushes.length > 0 || this.#others.length > 0) return 0
    for (const lane of ['live', 'background'] as const) {
      if (this.#isInLine[lane] && this.#want[lane] === 0) return 0
    }
    return Math.min(
      isWanted ? this.#retryAt : Number.POSITIVE_INFINITY,
      this.leases.dueAt(this.#roundTrip.leaseMs),
      this.#renewAt,
    )
  }

  #ask(): void {
    const sent = this.#instant()
    const { leaseMs } = this.#roundTrip
    const { intervalMs, recoveryIntervalMs, onStoreLost } = this.#options
    const oldest = sent.now - 2 * intervalMs - leaseMs - graceMs
    this.#others = this.#others.filter((at) => at > oldest)
    const request: Request = {
      serial: ++this.#serial,
      sent,
      leaseMs,
      report: this.leases.report(sent.now),
      others: [...this.#others],
      adopting: [...(this.outage?.attempts ?? [])],
    }
    const { live, background } = this.#want
    for (const lane of ['live', 'background'] as const) this.#isInLine[lane] ||= this.#want[lane] > 0
    const isLeaving = this.#isResting && live + background === 0
    this.#open = request
    this.#isOverdue = false
    this.#jitter = 0.8 + 0.4 * Math.random()
    this.#renewAt = Number.POSITIVE_INFINITY
    const message = {
      process: this.#process,
      at: this.#clockSteps.storeTime(sent),
      rtt: this.#roundTrip.ms,
      lease: leaseMs,
      limit: this.limit,
      interval: Math.ceil(intervalMs),
      recover: Math.ceil(recoveryIntervalMs),
      want: [live, background],
      turn: this.#turns,
      ...request.report,
      others: request.others.map((at) => Math.max(0, Math.floor(sent.now - at))),
      adopt: request.adopting.length,
      share: this.#share(sent),
      shares: onStoreLost === 'share',
      slowest: this.fleet?.slowestLeaseMs,
      born: this.fleet?.born,
      reset: this.#resetOf,
      bye: isLeaving ? 1 : undefined,
    }
    this.#send(JSON.stringify(message)).then(
      (reply) => this.#receive(request, reply),
      (error: Error) => this.#fail(request, error),
    )
  }

  async #send(message: string): Promise<StoreReply> {
    try {
      return readStoreReply(await this.#store.step(this.#key ?? 'default', message))
    } catch (error) {
      if (error instanceof Error) throw error
      throw new Error(`It failed with ${typeof error === 'string' ? error : 'no error'}.`, { cause: error })
    }
  }

  #receive(request: Request, reply: StoreReply): void {
    if (request.serial <= this.#lastReply) return
    this.#lastReply = request.serial
    const received = this.#instant()
    const { sent, report, others } = request
    if (this.#open?.serial === request.serial) this.#open = undefined
    this.#isOverdue = this.#open !== undefined
    this.#roundTrip.measure(received.now - sent.now)
    if (this.#clockSteps.hasStepped(reply, sent, received)) {
      // What it granted may not be free yet. Everything has to cool down once, as after a loss.
      this.#resetOf = reply.born
      this.#retryAt = received.now
    } else {
      this.#resetOf = undefined
      this.leases.acknowledge(report)
      this.#others = this.#others.filter((at) => !others.includes(at))
      this.#retryAt = sent.now + reply.retryMs
      if (reply.isLate) {
        this.#failures = 1
        this.#failedAt = received.now
      } else {
        this.#failures = 0
        this.#takeOver(request, reply, received)
      }
    }
    if (!this.#hasReports) this.#endFlushes()
    this.#onAvailable()
    this.#plan()
  }

  #takeOver(request: Request, reply: StoreReply, received: Instant): void {
    const { sent, leaseMs, adopting } = request
    const { outage } = this
    for (const [index, attempt] of adopting.entries()) {
      const lease: FleetLease = {
        id: reply.firstAdopted + index,
        usableAt: sent.now,
        validUntil: sent,
        stage: 'inFlight',
        outcome: undefined,
      }
      attempt.lease = lease
      // One that ended meanwhile was reported as such.
      if (!outage?.attempts.delete(attempt)) lease.stage = 'ended'
      this.leases.adopt(lease)
    }
    this.leases.update(reply, leaseMs, sent, received.now)
    this.#turns = reply.turns
    this.#isInLine = { live: reply.turns[0] > 0, background: reply.turns[1] > 0 }
    this.#heardAt = sent
    const from = this.fleet?.limit ?? this.limit
    const { limit } = reply
    this.fleet = reply
    if (limit < from) {
      publish('aurora-iam:rate-limit:lowered', () => ({ key: this.#key, from, to: limit }))
    }
    if (reply.renewMs > 0 && !this.#isResting) this.#renewAt = sent.now + reply.renewMs
    if (outage === undefined) return
    outage.isReturning = outage.attempts.size > 0
    if (outage.isReturning) return
    this.outage = undefined
    publish('aurora-iam:rate-limit:store-back', () => ({
      key: this.#key,
      lostForMs: received.now - outage.since,
    }))
  }

  #fail(request: Request, error: Error): void {
    if (this.#open?.serial === request.serial) {
      this.#open = undefined
      this.#failures += this.#isOverdue ? 0 : 1
    }
    if (request.serial <= this.#lastReply) return
    this.#lost(error, request.sent.now)
  }

  #overdue({ sent }: Request): void {
    this.#isOverdue = true
    this.#failures += 1
    const waitedMs = Math.ceil(this.#options.clock.now() - sent.now)
    this.#lost(new Error(`It has not replied within ${waitedMs} ms.`), sent.now)
  }

  #lost(error: Error, since: number): void {
    const now = this.#instant()
    this.#failedAt = now.now
    this.#endFlushes()
    if (this.outage === undefined) {
      const limit = error instanceof StoreConflictError ? 0 : this.#degradedLimit()
      const { intervalMs, onStoreLost } = this.#options
      const leaseMs = Math.max(this.#roundTrip.leaseMs, this.fleet?.slowestLeaseMs ?? 0)
      const waitMs = this.#roundTrip.ms + leaseMs + graceMs + intervalMs + marginMs
      const { patienceMs } = this.#roundTrip
      this.outage = new FleetOutage(this.#options, error, { since, now, limit, waitMs, patienceMs })
      publish('aurora-iam:rate-limit:store-lost', () => ({ key: this.#key, error, onStoreLost, limit }))
    } else this.outage.confirm(now)
    this.#onAvailable()
    this.#plan()
  }

  /** Returns how many permits per interval this process may use without the store. */
  #degradedLimit(): number {
    const { share, onStoreLost } = this.#options
    const limit = Math.min(this.limit, this.fleet?.limit ?? this.limit)
    if (onStoreLost === 'fail-open') return limit
    if (onStoreLost === 'fail-closed') return 0
    if (this.#heardAt !== undefined) return Math.min(limit, this.#share(this.#instant()))
    return share === undefined ? 0 : Math.floor(limit / share.processes)
  }

  /** Returns the share that the store promised and still counts with. */
  #share({ now, wall }: Instant): number {
    if (this.#options.onStoreLost !== 'share' || this.#heardAt === undefined) return 0
    const heard = this.#heardAt
    const isValid = now - heard.now <= shareValidMs && wall - heard.wall <= shareValidMs
    // What it uses now, it uses until it has heard otherwise.
    return isValid || (this.outage?.limit ?? 0) > 0 ? (this.fleet?.share ?? 0) : 0
  }

  #endFlushes(): void {
    for (const resolve of this.#flushes.splice(0)) resolve()
  }

  #instant(): Instant {
    return { now: this.#options.clock.now(), wall: Date.now() }
  }
}
