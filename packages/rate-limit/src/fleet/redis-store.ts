import { createHash } from 'node:crypto'
import { invalidOption, refuseUnknownOptions } from '../options.ts'
import type { RateLimitStore } from '../store.ts'
import { fleetScript } from './redis-script.ts'

/** The part of an `ioredis` client (`Redis` or `Cluster`) that is used. */
export interface IoredisClient {
  evalsha(sha1: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
}

/** The part of a `redis` client (node-redis: client, pool, cluster or sentinel) that is used. */
export interface NodeRedisClient {
  evalSha(sha1: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** Where {@link redisStore} keeps its keys. */
export interface RedisStoreOptions {
  /** What its keys begin with. Processes share a limit when prefix and key are the same. @defaultValue 'aurora-iam:rate-limit' */
  prefix?: string
}

type Evaluate = (
  source: { script: string } | { sha1: string },
  key: string,
  request: string,
) => Promise<unknown>

const sha1 = createHash('sha1').update(fleetScript).digest('hex')

/**
 * Shares a limit between processes through Redis or Valkey: a single server, Sentinel or Cluster. The client stays the caller's:
 * it is neither connected nor closed here. Each key of a limiter is one key there, `prefix:{key}`, with a hash tag.
 *
 * @param client - of `ioredis` or of `redis` (node-redis), connected to a primary.
 * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION`.
 */
export function redisStore(
  client: IoredisClient | NodeRedisClient,
  options: RedisStoreOptions = {},
): RateLimitStore {
  const evaluate = evaluateWith(client)
  refuseUnknownOptions(options, ['prefix'])
  const { prefix = 'aurora-iam:rate-limit' } = options
  // A tag in the prefix would be the one that Redis Cluster goes by.
  if (typeof prefix !== 'string' || prefix === '' || /[{}]/.test(prefix)) {
    throw invalidOption('prefix', prefix, 'a text that is not empty and has no braces')
  }
  return {
    async step(key, request) {
      const redisKey = `${prefix}:{${key.replaceAll(/[{}]/g, '_')}}`
      try {
        return await evaluate({ sha1 }, redisKey, request)
      } catch (error) {
        // The server was restarted, its scripts were flushed, or another one has taken over.
        if (!/^NOSCRIPT/.test((error as Partial<Error> | undefined)?.message ?? '')) throw error
        return await evaluate({ script: fleetScript }, redisKey, request)
      }
    },
  }
}

function evaluateWith(client: IoredisClient | NodeRedisClient): Evaluate {
  const given = client as Partial<Record<'eval' | 'evalSha' | 'evalsha', unknown>> | null | undefined
  if (typeof given?.eval === 'function' && typeof given.evalSha === 'function') {
    const redis = client as NodeRedisClient
    return (source, key, request) => {
      const options = { keys: [key], arguments: [request] }
      return 'sha1' in source ? redis.evalSha(source.sha1, options) : redis.eval(source.script, options)
    }
  }
  if (typeof given?.eval === 'function' && typeof given.evalsha === 'function') {
    const redis = client as IoredisClient
    return (source, key, request) =>
      'sha1' in source
        ? redis.evalsha(source.sha1, 1, key, request)
        : redis.eval(source.script, 1, key, request)
  }
  throw invalidOption('client', client, 'a client of ioredis or of redis (node-redis)')
}
