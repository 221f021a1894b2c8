import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'mysql2/promise'
import { transfer } from './bank.ts'

/** Result of a load. */
export interface LoadResult {
  transfers: number
  /** Transfers that did not happen, by the driver's error code; each was tried again. */
  readonly failures: Map<string, number>
}

/** Keeps `workers` transfers under way until `signal` says stop. A worker that fails repeatedly tries less often. */
export async function runLoad(
  pool: Pool,
  workers: number,
  signal: AbortSignal,
  result: LoadResult,
): Promise<void> {
  const work = async () => {
    let failuresInARow = 0
    while (!signal.aborted) {
      try {
        await transfer(pool)
        result.transfers++
        failuresInARow = 0
        await sleep(10)
      } catch (error) {
        const { code = 'unknown' } = error as { code?: string }
        result.failures.set(code, (result.failures.get(code) ?? 0) + 1)
        await sleep(Math.min(100 * 2 ** failuresInARow++, 3_000) * (0.5 + Math.random()))
      }
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
}
