import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import { busyMicroseconds } from './call-cost.ts'
import { type ColdStart, type ColdStartResult, judge, type Login, round } from './cold-start.ts'

/** Programs that share the processes of a cold start: one alone would be busy with all their first requests at once. */
const players = 4
const program = fileURLToPath(new URL('fixtures/cold-start-player.mjs', import.meta.url))
const loginMs = 20

export interface RealColdStartResult extends ColdStartResult {
  /** The longest time for which a player did nothing else. */
  readonly blockedMs: number
}

interface Played {
  readonly logins: readonly Login[]
  readonly failed: number
  readonly blockedMs: number
}

/** Plays a cold start in real time: real limiters over a real server, in a few programs. */
export async function playRealColdStart(redis: Redis, start: ColdStart): Promise<RealColdStartResult> {
  const { limit, processes, overMs, loginsEach = 1 } = start
  await redis.config('RESETSTAT')
  const children = await Promise.all(
    Array.from({ length: players }, async () => {
      const child = fork(program, [redis.options.port, limit, loginsEach, loginMs].map(String), {
        execArgv: [],
      })
      await once(child, 'message')
      return child
    }),
  )
  const busyBefore = await busyMicroseconds(redis)
  const startAt = Number(process.hrtime.bigint()) / 1e6 + 100
  const all = Array.from({ length: processes }, (_, index) => ({
    index,
    afterMs: (index * overMs) / processes,
  }))
  const played = await Promise.all(
    children.map((child, player) =>
      play(child, { startAt, processes: all.filter(({ index }) => index % players === player) }),
    ),
  )
  const busy = (await busyMicroseconds(redis)) - busyBefore
  const logins = played.flatMap((part) => part.logins)
  const elapsedMs = Math.max(...logins.map(({ at }) => at)) - startAt
  const [, calls] = /cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats')) ?? []
  return {
    ...start,
    ...judge(logins, start),
    failed: played.reduce((sum, part) => sum + part.failed, 0),
    callsPerLogin: round(Number(calls) / logins.length),
    busy: round(busy / 1000 / elapsedMs),
    blockedMs: Math.round(Math.max(...played.map((part) => part.blockedMs))),
  }
}

async function play(child: ChildProcess, part: object): Promise<Played> {
  child.send(part)
  const [played] = await once(child, 'message')
  return played
}
