import type { FleetInspection } from '@aurora-iam/rate-limit'
import type { CliOutput } from '../output/output.ts'
import { paint } from '../output/style.ts'
import { visible } from '../output/visible.ts'

const BAR_WIDTH = 40

/** Returns the state of a fleet as lines for a person. */
export function formatFleet(key: string, fleet: FleetInspection, output: CliOutput): string {
  const { limit, intervalMs, inUse, coolingDown, processes, waitingProcesses, holders, waiting } = fleet
  const lines = [
    `${paint(output, 'bold', visible(key))}: ${limit ?? '?'} logins in ${intervalMs ?? '?'} ms, ${processes} processes`,
    `  permits  ${bar(inUse, coolingDown, limit)}  ${inUse} held, ${coolingDown} cooling down`,
    `  queue    ${waitingProcesses} processes wait`,
  ]
  if (fleet.cut) lines.push(`  slowed   to ${fleet.cut.to} by a throttled login, ${fleet.cut.agoMs} ms ago`)
  if (fleet.quietForMs > 0)
    lines.push(`  quiet    no permit for ${fleet.quietForMs} ms: the key is new or its data was lost`)
  if (fleet.returningForMs > 0)
    lines.push(
      `  return   after an outage, processes have their shares alone for up to ${fleet.returningForMs} ms`,
    )
  if (fleet.hasPredecessors)
    lines.push('  release  processes of release 0.1 use this key and have half of the limit')
  for (const { process, permit } of holders) lines.push(`  holds    ${visible(process)}: permit ${permit}`)
  for (const { process, lane, wanted } of waiting)
    lines.push(`  waits    ${visible(process)}: ${wanted} (${lane})`)
  return `${lines.join('\n')}\n`
}

/** Returns the permits as a bar: those held, those that cool down, and those that are free. */
function bar(inUse: number, coolingDown: number, limit: number | undefined): string {
  const most = Math.max(limit ?? 0, inUse + coolingDown, 1)
  const width = (count: number) => Math.round((count / most) * BAR_WIDTH)
  const used = width(inUse)
  const cooling = Math.min(width(coolingDown), BAR_WIDTH - used)
  return `[${'#'.repeat(used)}${'='.repeat(cooling)}${' '.repeat(BAR_WIDTH - used - cooling)}]`
}
