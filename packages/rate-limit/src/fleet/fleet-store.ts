import type { RateLimitStore } from '../limiter-options.ts'
import { invalidOption } from '../options.ts'
import type { FleetEngine } from '../store.ts'
import { FleetPermits } from './fleet-permits.ts'

/**
 * Makes a store of an engine that runs the protocol of a fleet, as `redisStore` does of Redis.
 *
 * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION`.
 */
export function fleetStore(engine: FleetEngine): RateLimitStore {
  if (typeof (engine as Partial<FleetEngine> | null | undefined)?.step !== 'function') {
    throw invalidOption('engine', engine, 'an object with the function step()')
  }
  return { createPermits: (options, key) => new FleetPermits(options, engine, key) }
}
