import { type CliOutput, writeJson } from '../output/output.ts'
import { replaceFile } from '../output/replace-file.ts'
import { paint } from '../output/style.ts'
import { LIMITER_NAMES, svgChart, terminalChart } from './chart.ts'
import { type PlanFlags, readFleet } from './read-fleet.ts'
import { type Fleet, type Outcome, SCENARIOS, simulate } from './simulate.ts'

const READABLE = 0o644

/**
 * Simulates the scenarios and prints their outcomes.
 *
 * @throws UsageError for options that cannot be used; CommandError for a database or a file that cannot be used
 */
export async function runPlan(flags: PlanFlags, output: CliOutput): Promise<void> {
  const { fleet, notes } = await readFleet(flags)
  for (const note of notes) output.error(`note: ${note}\n`)
  const outcomes = simulate(fleet)
  const byScenario = SCENARIOS.map((name) => outcomes.filter(({ scenario }) => scenario === name))
  if (flags.json) {
    const shown = outcomes.map(({ timeline: _timeline, ...outcome }) => outcome)
    writeJson(output, { fleet, outcomes: shown })
  } else for (const scenario of byScenario) output.out(describe(fleet, scenario, output))
  if (flags.svg !== undefined) {
    const { processes, pool, limit } = fleet
    const title = `Cold start: ${processes} processes with ${pool} connections, ${limit} logins a second`
    await replaceFile(flags.svg, svgChart(title, byScenario[0] ?? []), READABLE)
  }
}

function describe(fleet: Fleet, outcomes: readonly Outcome[], output: CliOutput): string {
  const { processes, pool, limit, maxConnections } = fleet
  const [first] = outcomes
  const head = ['', 'every process has one', 'every pool is full', 'rejected logins', 'longest queue', 'peak']
  const rows = outcomes.map(({ limiter, firstMs, fullMs, rejected, longestQueue, peakConnections }) => [
    LIMITER_NAMES[limiter],
    time(firstMs),
    time(fullMs),
    String(rejected),
    String(longestQueue),
    String(peakConnections),
  ])
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] as string).length)),
  )
  const lines = [head, ...rows].map(
    (row) =>
      `  ${row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join('  ')
        .trimEnd()}\n`,
  )
  const title = `${first?.scenario}: ${processes} processes x ${pool} connections, ${limit} logins a second`
  const needed = Math.max(...outcomes.map(({ peakConnections }) => peakConnections), neededFor(fleet, first))
  const verdict =
    maxConnections === undefined
      ? ''
      : needed <= maxConnections
        ? `  max_connections ${maxConnections} holds: at most ${needed} are open\n`
        : `  ${paint(output, 'red', `max_connections ${maxConnections} does not hold`)}: ${needed} are needed\n`
  return `${paint(output, 'bold', title)}\n${lines.join('')}${verdict}\n${terminalChart(outcomes)}\n`
}

function neededFor({ processes, pool, rolling }: Fleet, outcome: Outcome | undefined): number {
  const batch = outcome?.scenario === 'rolling deploy' ? Math.ceil(processes * rolling) : 0
  return (processes + batch) * pool
}

function time(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return 'never'
  const seconds = milliseconds / 1000
  if (seconds < 120) return `${seconds.toFixed(1)} s`
  return seconds < 7200 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`
}
