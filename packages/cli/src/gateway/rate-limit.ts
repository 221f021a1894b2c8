import { type RateLimit, redisStore, resolveRateLimit } from '@aurora-iam/rate-limit'
import type { GatewayFlags } from '../options/gateway-flags.ts'
import { MOST_PER_SECOND, readNumber } from '../options/numbers.ts'
import { readRedisUrl } from '../options/redis-url.ts'

/** Rate limit of a gateway, with the function that closes its store. */
export interface GatewayRateLimit {
  readonly rateLimit: RateLimit | undefined
  readonly maxWaitMs: number | undefined
  close(): void
}

/**
 * Returns the limit that the options ask for. A Redis that cannot be reached does not keep clients from logging in:
 * the limiter then works in degraded mode.
 *
 * @throws UsageError for a number or a URL that cannot be used
 */
export async function readRateLimit(
  flags: GatewayFlags,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<GatewayRateLimit> {
  const limit = readNumber(flags.limit, '--limit', { most: MOST_PER_SECOND })
  const maxWaitMs = readNumber(flags.maxWaitMs, '--max-wait-ms')
  const redis = readRedisUrl(flags, environment)
  if (redis === undefined) return { rateLimit: limit, maxWaitMs, close() {} }
  const { Redis } = await import('ioredis')
  const client = new Redis(redis.url)
  // The limiter reports that its store is lost.
  client.on('error', () => {})
  return {
    rateLimit: { ...resolveRateLimit(limit ?? 'conservative'), store: redisStore(client) },
    maxWaitMs,
    close: () => client.disconnect(),
  }
}
