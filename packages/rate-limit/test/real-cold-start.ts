import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { createRateLimiter, redisStore } from '../src/index.ts'
import { busyMicroseconds } from './call-cost.ts'
import { type ColdStart, type ColdStartResult, judge, type Login, round } from './cold-start.ts'

const loginMs = 20

export interface RealColdStartResult extends ColdStartResult {
  /** The longest time for which this process, which plays all the others, did nothing else. */
  readonly blockedMs: number
}

/** Plays a cold start in real time: real limiters in this process, over a real server. */
export async function playRealColdStart(redis: Redis, start: ColdStart): Promise<RealColdStartResult> {
  const { limit, processes, overMs, loginsEach = 1 } = start
  await redis.config('RESETSTAT')
  const blocked = monitorEventLoopDelay({ resolution: 5 })
  blocked.enable()
  const startedAt = performance.now()
  const busyBefore = await busyMicroseconds(redis)
  const logins: Login[] = []
  let failed = 0
  await Promise.all(
    Array.from({ length: processes }, async (_, index) => {
      await sleep((index * overMs) / processes)
      const limiter = createRateLimiter({ limit, store: redisStore(redis), maxWaitMs: 3_600_000 })
      const logIn = async () => {
        const permit = await limiter.acquire()
        await sleep(loginMs / 2)
        if (permit.isLapsed) failed += 1
        else logins.push({ at: performance.now(), process: index })
        await sleep(loginMs / 2)
        permit.release()
      }
      await Promise.all(Array.from({ length: loginsEach }, logIn))
      await limiter.flush()
      limiter.close()
    }),
  )
  const elapsedMs = performance.now() - startedAt
  blocked.disable()
  const busy = (await busyMicroseconds(redis)) - busyBefore
  const [, calls] = /cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats')) ?? []
  return {
    ...start,
    ...judge(logins, start),
    failed,
    callsPerLogin: round(Number(calls) / logins.length),
    busy: round(busy / 1000 / elapsedMs),
    blockedMs: Math.round(blocked.max / 1e6),
  }
}
