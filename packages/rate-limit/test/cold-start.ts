import type { Redis } from 'ioredis'
import { fleetStep } from '../src/fleet/lua-scripts.ts'
import { createRateLimiter, fleetStore } from '../src/index.ts'
import { onGivenClock, peak, scriptRunner } from './fleet-script.ts'
import { SimulatedClock } from './simulated-clock.ts'

export interface ColdStart {
  readonly limit: number
  readonly processes: number
  /** Within how many milliseconds they start. */
  readonly overMs: number
  /** Logins that each process wants at once. @defaultValue 1 */
  readonly loginsEach?: number
}

export interface ColdStartResult extends ColdStart {
  /** Most logins in a sliding second. */
  readonly most: number
  /** The least time that so many logins need, divided by the time from the first to the last. */
  readonly used: number
  /** The longest time without a login while a process waits, after the first. */
  readonly longestGapMs: number
  /** Jain's index of the logins of the processes, before each of them could have its last one. */
  readonly jain: number
  /** Processes that did not log in. */
  readonly failed: number
  readonly callsPerLogin: number
  /** Time that the server was busy, of the time from the first start to the last login. */
  readonly busy: number
}

/** Costs of a call at the server, as measured by `INFO commandstats`, and on the network each way. */
const callMs = 0.18
const networkMs = 1
const loginMs = 20

let keys = 0

/**
 * Plays a cold start in virtual time: real limiters and the real script, one login each, at a server that serves one
 * call after the other.
 */
export async function playColdStart(redis: Redis, start: ColdStart): Promise<ColdStartResult> {
  const { limit, processes, overMs, loginsEach = 1 } = start
  const clock = new SimulatedClock()
  clock.driveWallClock()
  const startedAt = clock.now()
  const key = `cold-start-${keys++}`
  const { run } = scriptRunner(redis, onGivenClock(fleetStep))
  let serverFreeAt = startedAt
  let calls = 0
  const step = (_: string, request: string) =>
    new Promise((resolve, reject) => {
      clock.after(networkMs, () => {
        serverFreeAt = Math.max(serverFreeAt, clock.now()) + callMs
        calls += 1
        clock.after(serverFreeAt - clock.now(), async () => {
          const now = Math.floor(1_700_000_000_000 + clock.now() - startedAt)
          const reply = await run(key, request, now).catch(reject)
          clock.after(networkMs, () => resolve(reply))
        })
      })
    })
  const logins: Login[] = []
  let failed = 0
  let open = processes
  for (let index = 0; index < processes; index++) {
    clock.after((index * overMs) / processes, () => {
      const limiter = createRateLimiter({ limit, clock, store: fleetStore({ step }), maxWaitMs: 3_600_000 })
      const logIn = async () => {
        const permit = await limiter.acquire()
        await new Promise<void>((resolve) => clock.after(loginMs / 2, resolve))
        if (permit.isLapsed) failed += 1
        else logins.push({ at: clock.now(), process: index })
        await new Promise<void>((resolve) => clock.after(loginMs / 2, resolve))
        permit.release()
      }
      void Promise.all(Array.from({ length: loginsEach }, logIn)).then(() => {
        open -= 1
        // A function that has logged in works on; here it ends, so that the calls are those of the start.
        void limiter.flush().then(() => limiter.close())
      })
    })
  }
  await clock.runOut(() => open === 0)
  return { ...start, ...judge(logins, start), failed, ...load(calls, logins, startedAt) }
}

/** One login, as the server counted it. */
export interface Login {
  readonly at: number
  readonly process: number
}

function load(calls: number, logins: readonly Login[], startedAt: number) {
  return {
    callsPerLogin: round(calls / logins.length),
    busy: round((calls * callMs) / (Math.max(...logins.map(({ at }) => at)) - startedAt)),
  }
}

/** Judges logins by the instants at which the server counted them. */
export function judge(
  counted: readonly Login[],
  { limit, processes, loginsEach = 1 }: ColdStart,
): Pick<ColdStartResult, 'most' | 'used' | 'longestGapMs' | 'jain'> {
  const logins = [...counted].sort((one, other) => one.at - other.at)
  const times = logins.map(({ at }) => at)
  const [first, last] = [times[0] as number, times.at(-1) as number]
  const needed = Math.floor((logins.length - 1) / limit) * 1000
  const gaps = times.slice(1).map((at, index) => at - (times[index] as number))
  return {
    most: peak(times, 1000),
    used: round(last === first ? 1 : needed / (last - first)),
    longestGapMs: Math.round(Math.max(0, ...gaps)),
    jain: jainOf(logins.slice(0, processes * Math.max(1, loginsEach - 1)), processes),
  }
}

/** Returns Jain's index: 1 when all processes have the same number of logins, 1 / n when one has all. */
function jainOf(logins: readonly Login[], processes: number): number {
  const counts = new Array<number>(processes).fill(0)
  for (const { process } of logins) counts[process] = (counts[process] as number) + 1
  const squares = counts.reduce((sum, count) => sum + count ** 2, 0)
  return round(logins.length ** 2 / (processes * squares))
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
