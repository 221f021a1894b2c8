import { randomFrom } from './random.ts'

/** Limiters: none, one in each process, or one that the fleet shares. */
export const LIMITERS = ['none', 'process', 'fleet'] as const
export type Limiter = (typeof LIMITERS)[number]

/** When the connections are opened. */
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

/** The database counts logins in a second; a client whose login was rejected tries again after as long. */
const SECOND_MS = 1_000

/** A permit is occupied so much longer than a second, as in the limiter. */
const SAFETY_MS = 2

const TIMELINE_POINTS = 120

/** Simulates one scenario with one kind of limiter. The same fleet and seed give the same outcome. */
export function simulate(fleet: Fleet, scenario: Scenario, limiter: Limiter): Outcome {
  const { processes, pool, maxConnections = Number.POSITIVE_INFINITY } = fleet
  const batch = scenario === 'rolling deploy' ? Math.max(1, Math.ceil(processes * fleet.rolling)) : processes
  const total = processes * pool
  const record = new OpenConnections(total)
  // Before a rolling deploy the old processes have all their connections.
  let old = scenario === 'rolling deploy' ? total : 0
  let startMs = scenario === 'failover' ? fleet.failoverMs : 0
  let done = 0
  let firstMs = 0
  let rejected = 0
  let longestQueue = 0
  let isComplete = true
  while (done < processes && isComplete) {
    const size = Math.min(batch, processes - done)
    const room = maxConnections - old - done * pool
    const round = openAll({ ...fleet, processes: size }, limiter, Math.min(room, size * pool), done)
    for (const atMs of round.logins) record.add(startMs + atMs, old)
    rejected += round.rejected
    longestQueue = Math.max(longestQueue, size * pool)
    isComplete = round.fullMs !== undefined
    firstMs = Math.max(
      firstMs,
      round.firstMs === undefined ? Number.POSITIVE_INFINITY : startMs + round.firstMs,
    )
    startMs += round.fullMs ?? 0
    done += size
    if (scenario === 'rolling deploy') old -= size * pool
  }
  return {
    scenario,
    limiter,
    firstMs: Number.isFinite(firstMs) && (isComplete || scenario !== 'rolling deploy') ? firstMs : undefined,
    fullMs: isComplete ? startMs : undefined,
    rejected,
    longestQueue,
    peakConnections: record.peak,
    timeline: record.timeline(),
  }
}

interface Round {
  /** When each login was accepted, in order. */
  readonly logins: Float64Array
  readonly firstMs: number | undefined
  readonly fullMs: number | undefined
  readonly rejected: number
}

/** Opens all connections of `fleet` from the time 0 on, `room` of them at most. */
function openAll(fleet: Fleet, limiter: Limiter, room: number, salt: number): Round {
  const { processes, pool } = fleet
  const total = processes * pool
  const random = randomFrom(fleet.seed + salt)
  const possible = Math.max(0, Math.min(room, total))
  const owners = shuffled(processes, pool, random)
  const logins = new Float64Array(possible)
  const hasFirst = new Uint8Array(processes)
  let missing = processes
  let firstMs: number | undefined
  const accept = (index: number, atMs: number): void => {
    logins[index] = atMs
    const owner = owners[index] as number
    if (hasFirst[owner] === 0) {
      hasFirst[owner] = 1
      missing -= 1
      if (missing === 0) firstMs = atMs
    }
  }
  const rejected =
    limiter === 'fleet'
      ? shareLimit(fleet, possible, random, accept)
      : compete(fleet, limiter, possible, random, accept)
  const last = logins[possible - 1] ?? 0
  return { logins, rejected, firstMs, fullMs: possible === total ? last : undefined }
}

/** Simulates a shared limiter: each permit is used again one second after the login that it was for. Nothing is rejected. */
function shareLimit(
  { limit, loginMs }: Fleet,
  possible: number,
  random: () => number,
  accept: (index: number, atMs: number) => void,
): number {
  const freeAt = new Float64Array(limit)
  let latest = 0
  for (let index = 0; index < possible; index += 1) {
    // Permits are granted in the order in which they become free, which is that of their use but for small differences.
    const permit = index % limit
    const endsAt = (freeAt[permit] as number) + duration(loginMs, random)
    freeAt[permit] = endsAt + SECOND_MS + SAFETY_MS
    latest = Math.max(latest, endsAt)
    accept(index, latest)
  }
  return 0
}

/** Simulates no limiter, or one in each process: the database accepts `limit` of all that come in a second. */
function compete(
  { limit, loginMs, processes, pool }: Fleet,
  limiter: Limiter,
  possible: number,
  random: () => number,
  accept: (index: number, atMs: number) => void,
): number {
  const total = processes * pool
  let rejected = 0
  let index = 0
  for (let second = 0; index < possible; second += 1) {
    const waiting = total - index
    // A process with a separate limiter offers as many as that allows.
    const offered = limiter === 'none' ? waiting : Math.min(waiting, processes * Math.min(limit, pool))
    const accepted = Math.min(limit, offered, possible - index)
    rejected += offered - accepted
    const times = Array.from({ length: accepted }, () => second * SECOND_MS + duration(loginMs, random))
    for (const atMs of times.sort((a, b) => a - b)) accept(index++, atMs)
  }
  return rejected
}

/** Returns the time of a login: half of it is constant, half varies with a long tail. */
function duration(meanMs: number, random: () => number): number {
  return meanMs / 2 - (meanMs / 2) * Math.log(1 - random())
}

/** Returns each process as many times as it has connections, in random order: the order of the queue. */
function shuffled(processes: number, pool: number, random: () => number): Int32Array {
  const owners = new Int32Array(processes * pool).map((_, index) => index % processes)
  for (let i = owners.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1))
    const owner = owners[i] as number
    owners[i] = owners[j] as number
    owners[j] = owner
  }
  return owners
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
