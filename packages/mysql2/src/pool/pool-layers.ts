import type { Pool } from 'mysql2'
import { poolView } from '../mysql2-internals.ts'

/** Addition of a view to a pool of mysql2. */
export type Layer = 'lifetime' | 'login-retry'

const layersOf = new WeakMap<Pool, ReadonlySet<Layer>>()

/** Returns whether `pool` is a view with `layer`, or a view of one. A second layer of its kind would work twice. */
export function hasLayer(pool: Pool, layer: Layer): boolean {
  return layersOf.get(pool)?.has(layer) ?? false
}

/** Returns a view of `pool` whose `getConnection` adds `layer`. */
export function addLayer(pool: Pool, layer: Layer, getConnection: Pool['getConnection']): Pool {
  const view = poolView(pool, getConnection)
  layersOf.set(view, new Set([...(layersOf.get(pool) ?? []), layer]))
  return view
}
