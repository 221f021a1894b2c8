import { AsyncLocalStorage } from 'node:async_hooks'
import type { PermitLane } from '@aurora-iam/rate-limit'

// Drivers open a connection inside the call that asks for it, and have no option for what it is for.
const lanes = new AsyncLocalStorage<PermitLane>()

/** Calls `work`. Connections that it opens wait for their permit behind those that a request needs. */
export function inBackground<T>(work: () => T): T {
  return lanes.run('background', work)
}

/** Returns the lane in which the current call waits for a permit. */
export function currentLane(): PermitLane {
  return lanes.getStore() ?? 'live'
}
