import { createHash } from 'node:crypto'
import type { RateLimitStore } from '../limiter-options.ts'
import { invalidOption, ownProperties, refuseUnknownOptions } from '../options.ts'
import { type FleetEngine, StoreConflictError } from '../store.ts'
import { fleetStore } from './fleet-store.ts'
import { fleetStep } from './lua-scripts.ts'

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
  /**
   * Prefix of its keys. Processes share a limit when prefix and key are the same. @defaultValue 'aurora-iam:rate-limit'
   */
  prefix?: string
}

type Evaluate = (
  source: { script: string } | { sha1: string },
  keys: readonly string[],
  request: string,
) => Promise<unknown>

let digest: string | undefined

/**
 * Returns the name of the script at the server. It is not made before, so that a bundle without a store has neither.
 */
function scriptDigest(): string {
  digest ??= createHash('sha1').update(fleetStep).digest('hex')
  return digest
}

/** The structures of `fleet-step.lua`, in its order; the first is that of protocol 1. */
const structures = ['', ':facts', ':out', ':rest', ':line', ':till', ':want', ':hold', ':seen', ':share']

/**
 * Shares a limit between processes through Redis or Valkey: a single server, Sentinel or Cluster. The client stays the
 * caller's: it is neither connected nor closed here. The keys of a limiter begin with `prefix:{key}`: one hash tag, so
 * one slot.
 *
 * @param client - of `ioredis` (4 or newer) or of `redis` (node-redis, 4 or newer), connected to a primary.
 * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION`.
 */
export function redisStore(
  client: IoredisClient | NodeRedisClient,
  options: RedisStoreOptions = {},
): RateLimitStore {
  return fleetStore(redisEngine(client, options))
}

/** Returns the engine of {@link redisStore}. */
export function redisEngine(
  client: IoredisClient | NodeRedisClient,
  options: RedisStoreOptions = {},
): FleetEngine {
  const evaluate = evaluateWith(client)
  const prefix = prefixOf(options)
  return {
    async step(key, request) {
      const keys = fleetKeys(prefix, key)
      try {
        return await evaluate({ sha1: scriptDigest() }, keys, request)
      } catch (error) {
        // The server was restarted, its scripts were flushed, or another one has taken over.
        if (!/^NOSCRIPT/.test(messageOf(error))) throw conflictOf(error, key) ?? error
      }
      try {
        return await evaluate({ script: fleetStep }, keys, request)
      } catch (error) {
        throw conflictOf(error, key) ?? error
      }
    },
  }
}

/** Returns the prefix of the keys, checked. */
export function prefixOf(options: RedisStoreOptions): string {
  refuseUnknownOptions(options, ['prefix'])
  const { prefix = 'aurora-iam:rate-limit' } = ownProperties(options)
  // A tag in the prefix would be the one that Redis Cluster goes by.
  if (typeof prefix !== 'string' || prefix === '' || /[{}]/.test(prefix)) {
    throw invalidOption('prefix', prefix, 'a text that is not empty and has no braces')
  }
  return prefix
}

/** Returns the keys of a limiter, in the order that `fleet-step.lua` expects. */
export function fleetKeys(prefix: string, key: string): string[] {
  const base = `${prefix}:{${key.replaceAll(/[{}]/g, '_')}}`
  return structures.map((structure) => `${base}${structure}`)
}

function messageOf(error: unknown): string {
  return String((error as Partial<Error> | undefined)?.message ?? '')
}

/** Returns the error for a key of another type or protocol. */
function conflictOf(cause: unknown, key: string): StoreConflictError | undefined {
  const message = messageOf(cause)
  const [, protocol] = /^(?:ERR )?PROTOCOL (\d+)/.exec(message) ?? []
  if (protocol !== undefined) {
    return new StoreConflictError(
      `The key of "${key}" is in use by version ${protocol} of the fleet protocol. Update this process, or give it another \`prefix\`.`,
      { cause },
    )
  }
  if (!/WRONGTYPE/.test(message)) return undefined
  return new StoreConflictError(
    `The key of "${key}" holds a value of another type, which is not of this library. Give \`redisStore\` another \`prefix\`.`,
    { cause },
  )
}

/** Returns a function that runs a script, whichever client it is. */
export function evaluateWith(client: IoredisClient | NodeRedisClient): Evaluate {
  const given = client as unknown as Partial<Record<string, unknown>> | null | undefined
  if (typeof given?.eval === 'function' && typeof given.evalSha === 'function') {
    const redis = client as NodeRedisClient
    return (source, keys, request) => {
      const options = { keys: [...keys], arguments: [request] }
      return 'sha1' in source ? redis.evalSha(source.sha1, options) : redis.eval(source.script, options)
    }
  }
  // node-redis 3 has the commands of ioredis, but with callbacks: its errors would end the process.
  const isCallbackClient = typeof given?.internal_send_command === 'function'
  if (typeof given?.eval === 'function' && typeof given.evalsha === 'function' && !isCallbackClient) {
    const redis = client as IoredisClient
    return (source, keys, request) =>
      'sha1' in source
        ? redis.evalsha(source.sha1, keys.length, ...keys, request)
        : redis.eval(source.script, keys.length, ...keys, request)
  }
  throw invalidOption('client', client, 'a client of ioredis or of redis (node-redis), version 4 or newer')
}
