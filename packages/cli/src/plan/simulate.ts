import { Permits } from './permits.ts'
import { randomFrom } from './random.ts'

/** Limiters: none, one in each process, or one that the fleet shares. */
export const LIMITERS = ['none', 'process', 'fleet'] as const
export type Limiter = (typeof LIMITERS)[number]

/** Occasions on which a fleet opens its connections. */
export const SCENARIOS = ['cold start', 'rolling deploy', 'failover'] as const
export type Scenario = (typeof SCENARIOS)[number]

/** A fleet and its database. */
export interface Fleet {
  readonly processes: number
  /** Connections of each process. */
  readonly pool: number
  /** Logins that the database accepts per second; also the limit of the limiter. */
  readonly limit: number
  /** Mean time of one login, in milliseconds. */
  readonly loginMs: number
  /** Connections that the database holds; undefined for no limit. */
  readonly maxConnections: number | undefined
  /** Share of the fleet that is replaced at a time, from 0 to 1. */
  readonly rolling: number
  /** Time in which no login is accepted after a failover, in milliseconds. */
  readonly failoverMs: number
  readonly seed: number
}

/** Course of a scenario. Times are milliseconds from the start. */
export interface Outcome {
  readonly scenario: Scenario
  readonly limiter: Limiter
  /** When every process has one connection; undefined if that never happens. */
  readonly firstMs: number | undefined
  /** When every pool is full; undefined if that never happens. */
  readonly fullMs: number | undefined
  /** Logins that the database rejects because of the rate. */
  readonly rejected: number
  /** The most connections that wait at one time. */
  readonly longestQueue: number
  /** The most connections that are open at one time. */
  readonly peakConnections: number
  /** Open connections over time. */
  readonly timeline: ReadonlyArray<{ readonly atMs: number; readonly open: number }>
}

/** The database counts logins per second. A client whose login was rejected tries again after as long. */
const SECOND_MS = 1_000

/** Time beyond a second for which a permit is occupied, as in the limiter. */
const SAFETY_MS = 2

const TIMELINE_POINTS = 120

/** The two ways in which logins come to the database: in the order of shared permits, or all at once. */
type Discipline = 'shared' | 'competing'

const DISCIPLINES: Readonly<Record<Limiter, Discipline>> = {
  none: 'competing',
  process: 'competing',
  fleet: 'shared',
}

/**
 * Simulates every scenario with every kind of limiter, in the order of {@link SCENARIOS} and {@link LIMITERS}. The same
 * fleet and seed give the same outcomes.
 */
export function simulate(fleet: Fleet): readonly Outcome[] {
  const coldStart = simulateLimiters(fleet, 'cold start')
  const rollingDeploy = simulateLimiters(fleet, 'rolling deploy')
  // A failover is a cold start that begins late.
  const failover = coldStart.map((outcome) => delayed(outcome, fleet.failoverMs))
  return [...coldStart, ...rollingDeploy, ...failover]
}

function simulateLimiters(fleet: Fleet, scenario: Scenario): Outcome[] {
  const courses = {
    shared: simulateCourse(fleet, scenario, 'shared'),
    // Without a limiter and with one in each process the database accepts the same logins, and rejects others.
    competing: simulateCourse(fleet, scenario, 'competing'),
  }
  return LIMITERS.map((limiter) => {
    const { rejected, ...course } = courses[DISCIPLINES[limiter]]
    return { limiter, rejected: rejected[limiter], ...course }
  })
}

function delayed(outcome: Outcome, byMs: number): Outcome {
  const { firstMs, fullMs, timeline } = outcome
  return {
    ...outcome,
    scenario: 'failover',
    firstMs: firstMs === undefined ? undefined : firstMs + byMs,
    fullMs: fullMs === undefined ? undefined : fullMs + byMs,
    timeline: timeline.map(({ atMs, open }) => ({ atMs: open === 0 ? atMs : atMs + byMs, open })),
  }
}

type RejectedLogins = Readonly<Record<Limiter, number>>

type Course = Omit<Outcome, 'limiter' | 'rejected'> & { readonly rejected: RejectedLogins }

function simulateCourse(fleet: Fleet, scenario: Scenario, discipline: Discipline): Course {
  const { processes, pool, maxConnections = Number.POSITIVE_INFINITY } = fleet
  const isRolling = scenario === 'rolling deploy'
  const batch = isRolling ? Math.max(1, Math.ceil(processes * fleet.rolling)) : processes
  const total = processes * pool
  const record = new OpenConnections(total)
  // Before a rolling deploy the old processes have all their connections.
  let old = isRolling ? total : 0
  let startMs = 0
  let done = 0
  let firstMs: number | undefined = 0
  let longestQueue = 0
  let isComplete = true
  const rejected = { none: 0, process: 0, fleet: 0 }
  while (done < processes && isComplete) {
    const size = Math.min(batch, processes - done)
    const room = Math.max(0, Math.min(size * pool, maxConnections - old - done * pool))
    const round = openAll({ ...fleet, processes: size }, discipline, room, done)
    for (const atMs of round.logins) record.add(startMs + atMs, old)
    for (const limiter of LIMITERS) rejected[limiter] += round.rejected[limiter]
    longestQueue = Math.max(longestQueue, size * pool)
    isComplete = round.fullMs !== undefined
    firstMs = round.firstMs === undefined ? undefined : startMs + round.firstMs
    startMs += round.fullMs ?? 0
    done += size
    if (isRolling) old -= size * pool
  }
  return {
    scenario,
    firstMs: isComplete || !isRolling ? firstMs : undefined,
    fullMs: isComplete ? startMs : undefined,
    rejected,
    longestQueue,
    peakConnections: record.peak,
    timeline: record.timeline(),
  }
}

interface Round {
  /** When each login was accepted, in the order of time. */
  readonly logins: Float64Array
  readonly firstMs: number | undefined
  readonly fullMs: number | undefined
  readonly rejected: RejectedLogins
}

/** Opens all connections of `fleet` from the time 0 on, `room` of them at most. */
function openAll(fleet: Fleet, discipline: Discipline, room: number, salt: number): Round {
  const { processes, pool, seed } = fleet
  const random = randomFrom(seed + salt)
  const lastFirst = lastFirstConnection(processes, pool, random)
  const logins = new Float64Array(room)
  const rejected =
    discipline === 'shared' ? shareLimit(fleet, logins, random) : compete(fleet, logins, random)
  const firstMs = lastFirst < room ? latestOf(logins.subarray(0, lastFirst + 1)) : undefined
  // So far they are in the order of the queue.
  logins.sort()
  return { logins, rejected, firstMs, fullMs: room === processes * pool ? logins[room - 1] : undefined }
}

/** Simulates a shared limiter: a permit is free again one second after the login that used it. No login is rejected. */
function shareLimit({ limit, loginMs }: Fleet, logins: Float64Array, random: () => number): RejectedLogins {
  const permits = new Permits(limit)
  for (let index = 0; index < logins.length; index += 1) {
    const endsAt = permits.earliestMs + duration(loginMs, random)
    permits.occupyUntil(endsAt + SECOND_MS + SAFETY_MS)
    logins[index] = endsAt
  }
  return { none: 0, process: 0, fleet: 0 }
}

/** Simulates no limiter, and one in each process: the database accepts `limit` of all that come in a second. */
function compete(
  { limit, loginMs, processes, pool }: Fleet,
  logins: Float64Array,
  random: () => number,
): RejectedLogins {
  const total = processes * pool
  // A process with a separate limiter offers as many as that allows: never fewer than the database accepts.
  const mostOffered = processes * Math.min(limit, pool)
  let none = 0
  let process = 0
  let index = 0
  for (let second = 0; index < logins.length; second += 1) {
    const waiting = total - index
    const accepted = Math.min(limit, waiting, logins.length - index)
    none += waiting - accepted
    process += Math.min(waiting, mostOffered) - accepted
    const end = index + accepted
    for (let at = index; at < end; at += 1) logins[at] = second * SECOND_MS + duration(loginMs, random)
    index = end
  }
  return { none, process, fleet: 0 }
}

function latestOf(times: Float64Array): number {
  return times.reduce((latest, atMs) => Math.max(latest, atMs), 0)
}

/** Returns the time of a login: half of it is constant, half varies with a long tail. */
function duration(meanMs: number, random: () => number): number {
  return meanMs / 2 - (meanMs / 2) * Math.log(1 - random())
}

/**
 * Returns the position in the queue at which the last process gets its first connection. The queue has each process as
 * many times as it has connections, in random order.
 */
function lastFirstConnection(processes: number, pool: number, random: () => number): number {
  const owners = new Int32Array(processes * pool)
  for (let place = 0; place < owners.length; place += 1) owners[place] = place % processes
  const hasFirst = new Uint8Array(processes)
  let missing = processes
  for (let place = 0; place < owners.length; place += 1) {
    // The positions before this one are drawn. This one is drawn from the others.
    const drawn = place + Math.floor(random() * (owners.length - place))
    const owner = owners[drawn] as number
    owners[drawn] = owners[place] as number
    if (hasFirst[owner] === 1) continue
    hasFirst[owner] = 1
    missing -= 1
    if (missing === 0) return place
  }
  return owners.length - 1
}

/** Open connections over time, thinned out for a chart. */
class OpenConnections {
  peak = 0
  readonly #step: number
  readonly #points: Array<{ atMs: number; open: number }> = [{ atMs: 0, open: 0 }]
  #count = 0

  constructor(total: number) {
    this.#step = Math.max(1, Math.floor(total / TIMELINE_POINTS))
  }

  add(atMs: number, old: number): void {
    this.#count += 1
    this.peak = Math.max(this.peak, this.#count + old)
    if (this.#count % this.#step === 0) this.#points.push({ atMs, open: this.#count })
  }

  timeline(): ReadonlyArray<{ atMs: number; open: number }> {
    return this.#points
  }
}
