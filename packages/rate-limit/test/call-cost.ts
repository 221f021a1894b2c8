import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { fleetStep } from '../src/fleet/lua-scripts.ts'
import { fleetKeys } from '../src/fleet/redis-store.ts'
import { stepRequest } from './fleet-script.ts'

export interface CallCost {
  /** Processes in line. */
  readonly processes: number
  /** Processor time of the server for one call, by `INFO cpu`: the script, and reading and replying. */
  readonly microseconds: number
  readonly bytesPerProcess: number
}

const sha1 = createHash('sha1').update(fleetStep).digest('hex')
const calls = 8000
const atOnce = 500

/** Puts so many processes in line, and measures what a call costs that one of them makes. */
export async function callCost(redis: Redis, processes: number): Promise<CallCost> {
  await redis.flushall()
  await redis.script('LOAD', fleetStep)
  const keys = fleetKeys('cost', `${processes}`)
  const step = (index: number) => {
    const message = stepRequest({
      process: `00000000-0000-4000-8000-${`${index}`.padStart(12, '0')}`,
      rtt: 1,
      limit: 20,
      // Nothing is granted meanwhile: the line keeps its length.
      interval: 600_000,
      want: [1, 0],
    })
    return redis.evalsha(sha1, keys.length, ...keys, message)
  }
  for (let index = 0; index < processes; index += atOnce) {
    const size = Math.min(atOnce, processes - index)
    await Promise.all(Array.from({ length: size }, (_, offset) => step(index + offset)))
  }
  const before = await busyMicroseconds(redis)
  for (let call = 0; call < calls; call += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, () => step(Math.floor(Math.random() * processes))))
  }
  const busy = (await busyMicroseconds(redis)) - before
  const bytes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)))
  return {
    processes,
    microseconds: Math.round(busy / calls),
    bytesPerProcess: Math.round(bytes.reduce<number>((sum, each) => sum + Number(each), 0) / processes),
  }
}

/** Returns the processor time that the server has used. Other programs on the machine do not count. */
export async function busyMicroseconds(redis: Redis): Promise<number> {
  const info = await redis.info('cpu')
  const [, system] = /used_cpu_sys:([\d.]+)/.exec(info) ?? []
  const [, user] = /used_cpu_user:([\d.]+)/.exec(info) ?? []
  return 1e6 * (Number(system) + Number(user))
}
