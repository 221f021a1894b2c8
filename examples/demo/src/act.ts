import { setTimeout as sleep } from 'node:timers/promises'
import type { LocalAurora } from '@aurora-iam/local'
import type { Pool } from 'mysql2/promise'
import { LoginChart } from './chart.ts'
import { type LoadResult, runLoad } from './load.ts'

/** Logins that Local Aurora admits in a second: what AWS's page said first, and the default of `rateLimit`. */
export const THROTTLE = 20
/** Connections of the pool, and transfers under way. */
export const CONNECTIONS = 60

/** Result of one act. */
export interface ActResult extends LoadResult {
  readonly logins: number
  readonly refused: number
  /** Refusals by AWS's reason. */
  readonly reasons: ReadonlyMap<string, number>
  /** Different tokens that arrived. */
  readonly tokens: number
}

/**
 * Runs the load on `pool` for `seconds`, while every `failoverEvery` seconds all connections break, as when a
 * database fails over.
 */
export async function playAct(
  aurora: LocalAurora,
  pool: Pool,
  options: { seconds: number; failoverEvery: number; signal: AbortSignal; atFailover?: () => string },
): Promise<ActResult> {
  const { seconds, failoverEvery, signal, atFailover = () => '' } = options
  aurora.log.clear()
  const chart = new LoginChart(aurora, THROTTLE)
  const end = new AbortController()
  const result: LoadResult = { transfers: 0, failures: new Map() }
  const load = runLoad(pool, CONNECTIONS, AbortSignal.any([end.signal, signal]), result)
  try {
    for (let second = failoverEvery; second < seconds; second += failoverEvery) {
      await sleep(failoverEvery * 1_000, undefined, { signal })
      chart.note(`← failover: ${aurora.faults.dropConnections()} connections broken${atFailover()}`)
    }
    await sleep((seconds % failoverEvery || failoverEvery) * 1_000 + 100, undefined, { signal })
  } finally {
    end.abort()
    chart.stop()
  }
  await load
  const { logins, refusals, fingerprints } = aurora.log
  return {
    ...result,
    logins: logins.length,
    refused: refusals.length,
    reasons: countBy(refusals.map(({ reason }) => reason)),
    tokens: fingerprints.length,
  }
}

function countBy(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}
