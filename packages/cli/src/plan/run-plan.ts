import { readNumber } from '../options/numbers.ts'
import { UsageError } from '../options/usage-error.ts'
import { type CliOutput, writeJson } from '../output/output.ts'
import { replaceFile } from '../output/replace-file.ts'
import { paint } from '../output/style.ts'
import { LIMITER_NAMES, svgChart, terminalChart } from './chart.ts'
import { type Fleet, LIMITERS, type Outcome, SCENARIOS, simulate } from './simulate.ts'

/** Options of {@link runPlan}, as commander returns them. */
export interface PlanFlags {
  readonly processes?: string
  readonly pool?: string
  readonly limit?: string
  readonly rolling?: string
  readonly maxConnections?: string
  readonly loginMs?: string
  readonly failoverMs?: string
  readonly seed?: string
  readonly svg?: string
  readonly json?: boolean
}

/** The simulation keeps every connection in memory. */
const MOST_CONNECTIONS = 10_000_000

const READABLE = 0o644

/** Simulates the scenarios and prints what becomes of them. */
export async function runPlan(flags: PlanFlags, output: CliOutput): Promise<void> {
  const fleet = readFleet(flags)
  const outcomes = SCENARIOS.map((scenario) => LIMITERS.map((limiter) => simulate(fleet, scenario, limiter)))
  if (flags.json) {
    const shown = outcomes.flat().map(({ timeline: _timeline, ...outcome }) => outcome)
    writeJson(output, { fleet, outcomes: shown })
  } else for (const scenario of outcomes) output.out(describe(fleet, scenario, output))
  if (flags.svg !== undefined) {
    const { processes, pool, limit } = fleet
    const title = `Cold start: ${processes} processes with ${pool} connections, ${limit} logins a second`
    await replaceFile(flags.svg, svgChart(title, outcomes[0] ?? []), READABLE)
  }
}

/** @throws {@link UsageError} */
function readFleet(flags: PlanFlags): Fleet {
  if (flags.processes === undefined)
    throw new UsageError('--processes is missing. Give the number of processes.')
  const [, percent] = /^(\d{1,3})%$/.exec(flags.rolling ?? '25%') ?? []
  if (percent === undefined || Number(percent) < 1 || Number(percent) > 100)
    throw new UsageError('--rolling: expected a share of the processes from 1% to 100%.')
  const fleet = {
    processes: readNumber(flags.processes, '--processes', { most: 1_000_000 }) as number,
    pool: readNumber(flags.pool, '--pool', { most: 10_000 }) ?? 10,
    limit: readNumber(flags.limit, '--limit', { most: 100_000 }) ?? 20,
    loginMs: readNumber(flags.loginMs, '--login-ms', { most: 60_000 }) ?? 30,
    maxConnections: readNumber(flags.maxConnections, '--max-connections'),
    rolling: Number(percent) / 100,
    failoverMs: readNumber(flags.failoverMs, '--failover-ms', { least: 0 }) ?? 30_000,
    seed: readNumber(flags.seed, '--seed', { least: 0 }) ?? 1,
  }
  const connections = fleet.processes * fleet.pool
  if (connections > MOST_CONNECTIONS) {
    throw new UsageError(
      `--processes and --pool: ${fleet.processes} x ${fleet.pool} is ${connections} connections, and at most ` +
        `${MOST_CONNECTIONS} are simulated. Give fewer processes or a smaller pool.`,
    )
  }
  return fleet
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
