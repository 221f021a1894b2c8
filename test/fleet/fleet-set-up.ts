import type { RateLimiterOptions } from '@aurora-iam/rate-limit'
import { RedisServer } from '@aurora-iam/test-support/redis-server'
import { CountingServer } from './counting-server.ts'
import { Member, type MemberSettings } from './member.ts'

export const limit = 20
export const intervalMs = 1000

/** Settings in which a fleet differs from four processes on ioredis at one Redis. */
export interface FleetSettings {
  readonly size: number
  readonly program?: string
  readonly kind?: string
  readonly options?: Partial<RateLimiterOptions>
  /** Where the processes find Redis. @defaultValue where it is */
  readonly ports?: (redis: RedisServer, atEnd: AtEnd) => Promise<readonly number[]>
  readonly env?: (index: number) => MemberSettings['env']
}

/** Has something done when the test is over: of the test's own context, as tests run side by side. */
export type AtEnd = (cleanup: () => Promise<void>) => void

/** Starts a Redis, a server that counts logins, and processes that share its limit. All end with the test. */
export async function startFleet(
  onTestFinished: AtEnd,
  { size, program, kind = 'ioredis', options, ports, env }: FleetSettings,
) {
  const redis = await RedisServer.start(program)
  onTestFinished(() => redis.close())
  const server = await CountingServer.start(limit, intervalMs)
  onTestFinished(() => server.close())
  const redisPorts = (await ports?.(redis, onTestFinished)) ?? [redis.port]
  const members = await Promise.all(
    Array.from({ length: size }, (_, index) =>
      Member.start({
        name: `${index}`,
        redis: { kind, ports: redisPorts },
        server: server.port,
        options: { limit, intervalMs, ...options },
        env: env?.(index),
      }),
    ),
  )
  for (const member of members) onTestFinished(() => member.end())
  return { redis, server, members }
}

/** Returns `count` welcomes: no login rejected, none failed. */
export function welcomes(count: number): string[] {
  return Array(count).fill('welcome')
}
