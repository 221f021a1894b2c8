import { AsyncLocalStorage } from 'node:async_hooks'
import type { PermitLane } from '@aurora-iam/rate-limit'

interface Scope {
  lane: PermitLane
}

// Drivers open a connection inside the call that asks for it, and have no option for what it is for.
const scopes = new AsyncLocalStorage<Scope>()

/** Calls `work`. Connections that it opens wait for their permit behind those that a request needs. */
export async function inBackground<T>(work: () => Promise<T>): Promise<T> {
  const scope: Scope = { lane: 'background' }
  try {
    return await scopes.run(scope, work)
  } finally {
    // The socket keeps the context it was opened in: what its callbacks do later is a request again.
    scope.lane = 'live'
  }
}

/** Returns the lane in which the current call waits for a permit. */
export function currentLane(): PermitLane {
  return scopes.getStore()?.lane ?? 'live'
}
