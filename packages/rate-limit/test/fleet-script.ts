import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { fleetKeys } from '../src/fleet/redis-store.ts'
import type { StoreRequest } from '../src/fleet/store-request.ts'
import type { ScriptRunner } from './fleet-scenario.ts'

/** Returns the script with its clock replaced by two further arguments. */
export function onGivenClock(script: string): string {
  const parts = script.split("redis.call('TIME')")
  if (parts.length !== 2) throw new Error('The script has to read the time in one place.')
  return parts.join('{ ARGV[2], ARGV[3] }')
}

/** Runs a script on a given clock, and loses the data of a key or one of its structures. */
export function scriptRunner(
  redis: Redis,
  script: string,
): { run: ScriptRunner; lose: (key: string, structure?: number) => Promise<void> } {
  const keysOf = (key: string) => fleetKeys('test', key)
  const sha1 = createHash('sha1').update(script).digest('hex')
  let loading: Promise<unknown> | undefined
  return {
    run: async (key, request, now) => {
      loading ??= redis.script('LOAD', script)
      await loading
      const keys = keysOf(key)
      return redis.evalsha(sha1, keys.length, ...keys, request, Math.floor(now / 1000), (now % 1000) * 1000)
    },
    lose: async (key, structure) => {
      const keys = keysOf(key)
      await redis.del(...keys.filter((_, index) => structure === undefined || structure === index))
    },
  }
}

/** Returns the message of a process to the script. @defaultValue one that holds nothing, and wants nothing */
export function stepRequest(fields: Pick<StoreRequest, 'process'> & Partial<StoreRequest>): string {
  return JSON.stringify({
    rtt: 0,
    lease: 500,
    limit: 5,
    interval: 1000,
    recover: 1000,
    want: [0, 0],
    turn: [0, 0],
    settled: [],
    cancelled: [],
    others: [],
    adopt: 0,
    share: 0,
    shares: true,
    ...fields,
  })
}

/** Returns the most arrivals in any half-open interval. */
export function peak(arrivals: readonly number[], intervalMs: number): number {
  let first = 0
  let most = 0
  for (const [last, at] of arrivals.entries()) {
    while (at - arrivals[first]! >= intervalMs) first += 1
    most = Math.max(most, last - first + 1)
  }
  return most
}
