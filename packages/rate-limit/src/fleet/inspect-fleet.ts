import { checkNumber, ownProperties } from '../options.ts'
import { fleetInspection } from './lua-scripts.ts'
import {
  evaluateWith,
  fleetKeys,
  type IoredisClient,
  type NodeRedisClient,
  prefixOf,
  type RedisStoreOptions,
} from './redis-store.ts'

/** State of one key, as Redis has it now. Durations are milliseconds. */
export interface FleetInspection {
  /** Version of the fleet protocol. */
  readonly protocol: number
  /** The smallest limit that a process named in the last minute; undefined when none did. */
  readonly limit: number | undefined
  /** The longest interval that a process named in the last minute. */
  readonly intervalMs: number | undefined
  /** Permits that processes hold. */
  readonly inUse: number
  /** Permits that cool down: attempts that ended within about the last interval. */
  readonly coolingDown: number
  /** Processes seen in the last minute. */
  readonly processes: number
  /** Processes that wait, in both lanes. */
  readonly waitingProcesses: number
  /** After a `'throttled'` outcome: what the limit was cut to, and how long ago. */
  readonly cut: { readonly to: number; readonly agoMs: number } | undefined
  /** Time until the first grant, because the key is new or its data was lost. */
  readonly quietForMs: number
  /** After an outage: how long processes that are back have no more than their shares, at most. */
  readonly returningForMs: number
  /** Permits per interval that processes may use together while they cannot reach Redis. */
  readonly shares: number
  /** True if processes of release 0.1 use the same key: they get half of the limit. */
  readonly hasPredecessors: boolean
  /** Permits that are held, the one whose lease ends first at the front; at most `most`. */
  readonly holders: ReadonlyArray<{ readonly permit: number; readonly process: string }>
  /** Processes that wait, in their order; at most `most`. */
  readonly waiting: ReadonlyArray<{
    readonly process: string
    readonly lane: 'live' | 'background'
    readonly wanted: number
  }>
}

/** Which key {@link inspectFleet} reads. */
export interface InspectFleetOptions extends RedisStoreOptions {
  /** Most holders and waiting processes to list. @defaultValue 50 */
  most?: number
}

/**
 * Reads the state of a key in Redis and changes nothing. The key of a limiter that has none is `'default'`; through an
 * adapter it is the cluster's endpoint, `hostname:port`.
 *
 * @returns undefined when the key does not exist.
 * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION`; the client's own errors pass through.
 */
export async function inspectFleet(
  client: IoredisClient | NodeRedisClient,
  key = 'default',
  options: InspectFleetOptions = {},
): Promise<FleetInspection | undefined> {
  const { most = 50, ...storeOptions } = ownProperties(options)
  checkNumber('limit', most, '', 'most')
  const evaluate = evaluateWith(client)
  const reply = await evaluate({ script: fleetInspection }, fleetKeys(prefixOf(storeOptions), key), `${most}`)
  if (typeof reply !== 'string') return undefined
  const { interval, cutTo, cutForMs, ...state } = JSON.parse(reply)
  return {
    ...state,
    intervalMs: interval,
    cut: cutForMs === undefined ? undefined : { to: cutTo, agoMs: cutForMs },
    // An empty list is an empty object to Lua.
    holders: listOf(state.holders),
    waiting: listOf(state.waiting),
  }
}

function listOf<T>(value: T[] | object): T[] {
  return Array.isArray(value) ? value : []
}
