import type { FleetEngine } from '../store.ts'
import { storeFailure } from '../store-failure.ts'
import { readStoreReply, type StoreReply } from './store-reply.ts'

/**
 * Request of a process for one step of the store, as `fleet-step.lua` reads it. Ages and lengths are in milliseconds.
 */
export interface StoreRequest {
  /** Random name of the process. */
  readonly process: string
  /** The store's clock as this process believes it to be, so that a late request grants nothing. */
  readonly at: number | undefined
  /** Measured time to the store and back. */
  readonly rtt: number
  /** Length of the leases that the process asks for. */
  readonly lease: number
  /** The options of the process: limit, interval, and time after which a lowered limit grows by one. */
  readonly limit: number
  readonly interval: number
  readonly recover: number
  /** Permits that the process wants beyond those that it holds. */
  readonly want: readonly [live: number, background: number]
  /** Turns of the process in the store's queue; 0 outside of it. */
  readonly turn: readonly [live: number, background: number]
  /** Permits that ended: identifier, age of the outcome, and 1 for a throttled attempt. */
  readonly settled: ReadonlyArray<readonly [id: number, ageMs: number, throttled: 0 | 1]>
  /** Permits that were not used. */
  readonly cancelled: readonly number[]
  /** Ages of the attempts that ended without a lease. */
  readonly others: readonly number[]
  /** Number of attempts in flight without a lease: each gets a permit. */
  readonly adopt: number
  /** The share that the process believes to have. */
  readonly share: number
  /** True if the process goes on with a share while the store is lost. */
  readonly shares: boolean
  /** The longest lease and the beginning of the state, from the last reply. */
  readonly slowest: number | undefined
  readonly born: number | undefined
  /** Beginning of a state whose clock has stepped: every permit in it cools down once. */
  readonly reset: number | undefined
  /** 1 for a process that leaves. */
  readonly bye: 1 | undefined
}

/**
 * Sends a request and reads the reply.
 *
 * @throws {@link Error} for every failure, also where the store throws something else.
 */
export async function sendRequest(
  store: FleetEngine,
  key: string | undefined,
  request: StoreRequest,
): Promise<StoreReply> {
  const message = JSON.stringify(request)
  try {
    return readStoreReply(await store.step(key ?? 'default', message))
  } catch (error) {
    throw storeFailure(error)
  }
}
