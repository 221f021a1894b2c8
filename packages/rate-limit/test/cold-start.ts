import type { Redis } from 'ioredis'
import { fleetStep } from '../src/fleet/lua-scripts.ts'
import { createRateLimiter } from '../src/index.ts'
import { onGivenClock, peak, scriptRunner } from './fleet-script.ts'
import { SimulatedClock } from './simulated-clock.ts'

export interface ColdStart {
  readonly limit: number
  readonly processes: number
  /** Within how many milliseconds they start. */
  readonly overMs: number
}

export interface ColdStartResult extends ColdStart {
  /** Most logins in a sliding second. */
  readonly most: number
  /** The least time that so many logins need, divided by the time from the first to the last. */
  readonly used: number
  /** The longest time without a login while a process waits, after the first. */
  readonly longestGapMs: number
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
 * Plays a cold start in virtual time: real limiters and the real script, one login each, at a server that serves one call
 * after the other.
 */
export async function playColdStart(redis: Redis, start: ColdStart): Promise<ColdStartResult> {
  const { limit, processes, overMs } = start
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
  const logins: number[] = []
  let failed = 0
  let open = processes
  for (let index = 0; index < processes; index++) {
    clock.after((index * overMs) / processes, () => {
      const limiter = createRateLimiter({ limit, clock, store: { step }, maxWaitMs: 3_600_000 })
      limiter
        .acquire()
        .then((permit) => {
          clock.after(loginMs / 2, () => {
            if (permit.isLapsed) failed += 1
            else logins.push(clock.now())
          })
          clock.after(loginMs, () => {
            permit.release()
            open -= 1
            // A function that has logged in works on; here it ends, so that the calls are those of the start.
            void limiter.flush().then(() => limiter.close())
          })
        })
        .catch(() => {
          failed += 1
          open -= 1
        })
    })
  }
  await clock.runOut(() => open === 0)
  return { ...start, ...judge(logins, limit), failed, ...load(calls, logins, startedAt) }
}

function load(calls: number, logins: readonly number[], startedAt: number) {
  return {
    callsPerLogin: round(calls / logins.length),
    busy: round((calls * callMs) / ((logins.at(-1) as number) - startedAt)),
  }
}

/** Judges logins by the instants at which the server counted them. */
export function judge(
  counted: readonly number[],
  limit: number,
): Pick<ColdStartResult, 'most' | 'used' | 'longestGapMs'> {
  const logins = [...counted].sort((one, other) => one - other)
  const first = logins[0] as number
  const last = logins.at(-1) as number
  const needed = Math.floor((logins.length - 1) / limit) * 1000
  const gaps = logins.slice(1).map((at, index) => at - (logins[index] as number))
  return {
    most: peak(logins, 1000),
    used: round(last === first ? 1 : needed / (last - first)),
    longestGapMs: Math.round(Math.max(0, ...gaps)),
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
