import { expect } from 'vitest'
import type { TransferReport } from './transfers.ts'

/** Prints a line for each adapter, and expects that nothing was lost or invented, and no error was new. */
export function assertNoLoss(reports: readonly TransferReport[], seed: number): void {
  process.stdout.write(
    `Transfers, seed ${seed}:\n${reports.map((report) => `  ${summaryOf(report)}\n`).join('')}`,
  )
  for (const report of reports) {
    const { name, committed, unknownBooked } = report
    expect(report, name).toMatchObject({ total: 0, wrongBalances: 0, lost: [], ghosts: [], undocumented: [] })
    expect(report.booked, name).toBe(committed + unknownBooked)
  }
}

function summaryOf(report: TransferReport): string {
  const { name, committed, failed, unknown, unknownBooked, errors, healthyAfterMs } = report
  const counts = [...errors].map(([error, count]) => `${count} ${error}`).join(', ')
  return (
    `${name}: ${committed} committed, ${failed} failed, ${unknown} cut at COMMIT (${unknownBooked} had happened); ` +
    `${counts || 'no error'}; well again after ${Math.round(healthyAfterMs)} ms`
  )
}
