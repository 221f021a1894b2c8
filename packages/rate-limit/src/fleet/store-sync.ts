import { publish } from '../events.ts'
import type { CompleteOptions } from '../limiter-options.ts'
import type { Demand } from '../permit-source.ts'
import { type FleetEngine, StoreConflictError } from '../store.ts'
import { ClockStepDetector } from './clock-step-detector.ts'
import { FleetLeases, type Instant, type LeaseReport } from './leases.ts'
import { type DegradedAttempt, FleetOutage } from './outage.ts'
import { PlannedCall } from './planned-call.ts'
import { PromisedShare } from './promised-share.ts'
import { QueueStanding } from './queue-standing.ts'
import { RoundTrip } from './round-trip.ts'
import { StoreBackoff } from './store-backoff.ts'
import type { StoreReply } from './store-reply.ts'
import { sendRequest } from './store-request.ts'

/** The last packet of a holder that lost its lease arrives within this; see `GRACE` in `fleet-step.lua`. */
const graceMs = 1000

/** The margins of `fleet-step.lua` on an interval. */
const marginMs = 3

/** Before the first reply, the connection may still have to be opened. */
const firstPatienceMs = 3000

/** Request that is under way, with what it reports: the reply confirms that. */
interface OpenRequest {
  readonly serial: number
  readonly sent: Instant
  readonly leaseMs: number
  readonly report: LeaseReport
  readonly others: readonly number[]
  readonly adopting: readonly DegradedAttempt[]
  /** True from when it counts as unanswered. A reply to it is read all the same. */
  isOverdue: boolean
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
  readonly #store: FleetEngine
  readonly #onAvailable: () => void
  readonly #clockSteps = new ClockStepDetector()
  readonly #roundTrip = new RoundTrip()
  readonly #backoff = new StoreBackoff()
  readonly #standing = new QueueStanding()
  readonly #share: PromisedShare
  readonly #nextAction: PlannedCall
  readonly #process = crypto.randomUUID()
  /** When attempts ended that no lease covered. */
  #others: number[] = []
  #resetOf: number | undefined
  #serial = 0
  #lastReply = 0
  #open: OpenRequest | undefined
  #retryAt = Number.NEGATIVE_INFINITY
  #renewAt = Number.POSITIVE_INFINITY
  #isResting = false
  #flushes: { readonly after: number; readonly resolve: () => void }[] = []

  /** @param onAvailable - is called when permits may be available that were not. */
  constructor(
    options: CompleteOptions,
    store: FleetEngine,
    key: string | undefined,
    onAvailable: () => void,
  ) {
    this.#options = options
    this.#store = store
    this.#key = key
    this.#onAvailable = onAvailable
    this.limit = options.limit
    this.#share = new PromisedShare(options)
    this.#nextAction = new PlannedCall(
      options.clock,
      () => this.#actAt(),
      () => this.#act(),
    )
  }

  /** Sets how many more permits are wanted than this process holds. */
  want(demand: Demand): void {
    if (this.#standing.setWant(demand)) this.#retryAt = Number.NEGATIVE_INFINITY
    if (this.#standing.isWanted) this.#isResting = false
    this.#nextAction.update()
  }

  /** Returns an attempt to go on with while the store is lost, or when to ask again. */
  takeDegraded(): DegradedAttempt | number {
    // The store counts this process as back when the request arrives, and would not know of an attempt made since.
    if (this.#open?.isOverdue === false) return Number.POSITIVE_INFINITY
    return this.outage?.take(this.#instant()) ?? Number.POSITIVE_INFINITY
  }

  /** Notes the end of an attempt that no lease covered: it counts for the fleet all the same. */
  endDegraded(at: number): void {
    this.#others.push(at)
  }

  /** Notes that something about the leases has changed. */
  update(): void {
    this.#nextAction.update()
  }

  /** Resolves when the store has received what ended so far, or cannot be reached. */
  flush(): Promise<void> {
    if (!this.#hasReports || this.outage !== undefined) return Promise.resolve()
    return new Promise((resolve) => {
      this.#flushes.push({ after: this.#serial, resolve })
      this.#nextAction.update()
    })
  }

  /** Gives its share back to the fleet and stops calling while nothing is wanted. */
  rest(): void {
    if (this.#isResting) return
    this.#isResting = true
    this.#renewAt = this.fleet === undefined ? Number.POSITIVE_INFINITY : 0
    this.#nextAction.update()
  }

  get #hasReports(): boolean {
    return this.leases.hasReports || this.#others.length > 0
  }

  #act(): void {
    const now = this.#options.clock.now()
    const open = this.#open
    if (open?.isOverdue === false && now >= this.#overdueAt(open)) this.#overdue(open)
    else if (now >= this.#requestAt()) this.#request()
  }

  #actAt(): number {
    const open = this.#open
    const overdueAt = open?.isOverdue === false ? this.#overdueAt(open) : Number.POSITIVE_INFINITY
    return Math.min(overdueAt, this.#requestAt())
  }

  #overdueAt({ sent }: OpenRequest): number {
    return sent.now + this.#patienceMs
  }

  /** After how long a request counts as unanswered. */
  get #patienceMs(): number {
    return this.fleet === undefined ? firstPatienceMs : this.#roundTrip.patienceMs
  }

  /** Returns the instant to send the next request at. */
  #requestAt(): number {
    const reason = this.#reasonAt()
    if (reason === Number.POSITIVE_INFINITY) return reason
    const proofDueAt = this.outage?.proofDueAt
    if (this.#open !== undefined) {
      // A client that is cut off keeps what it was given: another request makes sense when this one is lost for sure.
      const isCold = this.fleet === undefined && !this.outage?.limit
      const retryAt = proofDueAt ?? this.#backoff.afterNoReply(this.#open.sent.now, isCold)
      return Math.max(retryAt, this.#overdueAt(this.#open))
    }
    if (this.outage === undefined || !this.#backoff.hasFailed) return reason
    return Math.max(reason, Math.min(this.#backoff.afterFailure(), proofDueAt ?? Number.POSITIVE_INFINITY))
  }

  /** Returns the instant from which on there is a reason for a request. */
  #reasonAt(): number {
    const { isWanted } = this.#standing
    if (this.outage !== undefined) {
      const isKept = this.outage.limit > 0 && this.#options.onStoreLost === 'share' && !this.#isResting
      return isWanted || isKept || this.outage.attempts.size > 0 ? 0 : Number.POSITIVE_INFINITY
    }
    if (this.#flushes.length > 0 || this.#others.length > 0) return 0
    if (this.#standing.hasWithdrawn) return 0
    return Math.min(
      isWanted ? this.#retryAt : Number.POSITIVE_INFINITY,
      this.leases.dueAt(this.#roundTrip.leaseMs),
      this.#renewAt,
    )
  }

  #request(): void {
    const sent = this.#instant()
    const { leaseMs } = this.#roundTrip
    const { intervalMs, recoveryIntervalMs, onStoreLost } = this.#options
    const oldest = sent.now - 2 * intervalMs - leaseMs - graceMs
    this.#others = this.#others.filter((at) => at > oldest)
    const open: OpenRequest = {
      serial: ++this.#serial,
      sent,
      leaseMs,
      report: this.leases.report(sent.now),
      others: [...this.#others],
      adopting: [...(this.outage?.attempts ?? [])],
      isOverdue: false,
    }
    this.#open = open
    this.#backoff.drawJitter()
    this.#renewAt = Number.POSITIVE_INFINITY
    this.#standing.send()
    const { want, turns, isWanted } = this.#standing
    sendRequest(this.#store, this.#key, {
      process: this.#process,
      at: this.#clockSteps.storeTime(sent),
      rtt: this.#roundTrip.ms,
      lease: leaseMs,
      limit: this.limit,
      interval: Math.ceil(intervalMs),
      recover: Math.ceil(recoveryIntervalMs),
      want: [want.live, want.background],
      turn: turns,
      ...open.report,
      others: open.others.map((at) => Math.max(0, Math.floor(sent.now - at))),
      adopt: open.adopting.length,
      share: this.#share.at(sent, (this.outage?.limit ?? 0) > 0),
      shares: onStoreLost === 'share',
      slowest: this.fleet?.slowestLeaseMs,
      born: this.fleet?.born,
      reset: this.#resetOf,
      bye: this.#isResting && !isWanted ? 1 : undefined,
    }).then(
      (reply) => this.#receive(open, reply),
      (error: Error) => this.#fail(open, error),
    )
  }

  #receive(request: OpenRequest, reply: StoreReply): void {
    if (request.serial <= this.#lastReply) return
    this.#lastReply = request.serial
    const received = this.#instant()
    const { sent, report, others } = request
    if (this.#open === request) this.#open = undefined
    this.#roundTrip.measure(received.now - sent.now)
    if (this.#clockSteps.hasStepped(reply, sent, received)) {
      // What it granted may not be free yet. Everything has to cool down once, as after a loss.
      this.#resetOf = reply.born
      this.#retryAt = received.now
    } else {
      this.#resetOf = undefined
      this.leases.acknowledge(report)
      this.#others = this.#others.filter((at) => !others.includes(at))
      this.#endFlushes(this.#hasReports ? request.serial : Number.POSITIVE_INFINITY)
      this.#retryAt = sent.now + reply.retryMs
      if (reply.isLate) {
        this.#backoff.restart(received.now)
      } else {
        this.#backoff.reset()
        this.#takeOver(request, reply, received)
      }
    }
    this.#onAvailable()
    this.#nextAction.update()
  }

  #takeOver(request: OpenRequest, reply: StoreReply, received: Instant): void {
    const { sent, leaseMs, adopting } = request
    const { outage } = this
    for (const [index, attempt] of adopting.entries()) {
      // One that ended meanwhile was reported as such.
      const stage = outage?.attempts.delete(attempt) ? 'inFlight' : 'ended'
      attempt.lease = this.leases.adopt(reply.firstAdopted + index, sent, stage)
    }
    this.leases.update(reply, leaseMs, sent, received.now)
    this.#standing.update(reply.turns)
    this.#share.update(reply.share, sent)
    const from = this.fleet?.limit ?? this.limit
    const { limit } = reply
    this.fleet = reply
    if (limit < from) {
      publish('aurora-iam:rate-limit:lowered', () => ({ key: this.#key, from, to: limit }))
    }
    if (reply.renewMs > 0 && !this.#isResting) this.#renewAt = sent.now + reply.renewMs
    if (outage === undefined) return
    // A later request may have been lost in the outage: that it has no reply is no news.
    if (this.#open !== undefined) this.#open.isOverdue = true
    outage.isReturning = outage.attempts.size > 0
    if (outage.isReturning) return
    this.outage = undefined
    publish('aurora-iam:rate-limit:store-back', () => ({
      key: this.#key,
      lostForMs: received.now - outage.since,
    }))
  }

  #fail(request: OpenRequest, error: Error): void {
    if (this.#open === request) this.#open = undefined
    if (!request.isOverdue) this.#backoff.countFailure()
    if (request.serial <= this.#lastReply) return
    this.#lost(error, request.sent)
  }

  #overdue(request: OpenRequest): void {
    const { sent } = request
    request.isOverdue = true
    this.#backoff.countFailure()
    const waitedMs = Math.ceil(this.#options.clock.now() - sent.now)
    this.#lost(new Error(`It has not replied within ${waitedMs} ms.`), sent)
  }

  #lost(error: Error, sent: Instant): void {
    const now = this.#instant()
    this.#backoff.failAt(now.now)
    this.#endFlushes(Number.POSITIVE_INFINITY)
    if (this.outage === undefined) {
      const limit = error instanceof StoreConflictError ? 0 : this.#degradedLimit(now)
      const { intervalMs, onStoreLost } = this.#options
      const leaseMs = Math.max(this.#roundTrip.leaseMs, this.fleet?.slowestLeaseMs ?? 0)
      const waitMs = this.#roundTrip.ms + leaseMs + graceMs + intervalMs + marginMs
      const details = { sent, limit, waitMs, patienceMs: this.#patienceMs, roundTripMs: this.#roundTrip.ms }
      this.outage = new FleetOutage(this.#options, error, details)
      publish('aurora-iam:rate-limit:store-lost', () => ({ key: this.#key, error, onStoreLost, limit }))
    } else this.outage.confirm(sent)
    this.#onAvailable()
    this.#nextAction.update()
  }

  #degradedLimit(now: Instant): number {
    const limit = Math.min(this.limit, this.fleet?.limit ?? this.limit)
    return this.#share.degradedLimit(limit, now)
  }

  /** Ends those that were called before the request of this number was sent. */
  #endFlushes(serial: number): void {
    const ended = this.#flushes.filter(({ after }) => after < serial)
    this.#flushes = this.#flushes.filter(({ after }) => after >= serial)
    for (const { resolve } of ended) resolve()
  }

  #instant(): Instant {
    return { now: this.#options.clock.now(), wall: Date.now() }
  }
}
