import { readInstanceClass } from '../facts/instance-class.ts'
import { readNumber } from '../options/numbers.ts'
import { readTarget } from '../options/target.ts'
import type { TargetFlags } from '../options/target-flags.ts'
import { refuseUnused } from '../options/unused-flags.ts'
import { UsageError } from '../options/usage-error.ts'
import type { Fleet } from './simulate.ts'

/** Options of the command `plan`, as commander returns them. */
export interface PlanFlags extends TargetFlags {
  readonly instanceClass?: string
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

/** A fleet, and a line for each fact that was looked up for it. */
interface ReadFleet {
  readonly fleet: Fleet
  readonly notes: readonly string[]
}

/**
 * Returns the fleet that the options name, completed with the facts of its database.
 *
 * @throws {@link UsageError} for options that cannot be used; CommandError for a database that gives no session
 */
export async function readFleet(flags: PlanFlags): Promise<ReadFleet> {
  if (flags.processes === undefined)
    throw new UsageError('--processes is missing. Give the number of processes.')
  const [, percent] = /^(\d{1,3})%$/.exec(flags.rolling ?? '25%') ?? []
  if (percent === undefined || Number(percent) < 1 || Number(percent) > 100)
    throw new UsageError('--rolling: expected a share of the processes from 1% to 100%.')
  const given = {
    processes: readNumber(flags.processes, '--processes', { most: 1_000_000 }) as number,
    pool: readNumber(flags.pool, '--pool', { most: 10_000 }) ?? 10,
    rolling: Number(percent) / 100,
    failoverMs: readNumber(flags.failoverMs, '--failover-ms', { least: 0 }) ?? 30_000,
    seed: readNumber(flags.seed, '--seed', { least: 0 }) ?? 1,
  }
  assertSimulated(given)
  const limit = readNumber(flags.limit, '--limit', { most: 100_000 })
  const loginMs = readNumber(flags.loginMs, '--login-ms', { most: 60_000 })
  const maxConnections = readNumber(flags.maxConnections, '--max-connections')
  const { notes, ...facts } = await readFacts(flags)
  return {
    fleet: {
      ...given,
      limit: limit ?? facts.limit ?? 20,
      loginMs: loginMs ?? facts.loginMs ?? 30,
      maxConnections: maxConnections ?? facts.maxConnections,
    },
    notes,
  }
}

/** Facts about the database that the options leave out. */
interface PlanFacts {
  readonly limit?: number | undefined
  readonly loginMs?: number
  readonly maxConnections?: number | undefined
  readonly notes: readonly string[]
}

/** Returns the facts about the instance class, and with `--host` those of the database. */
async function readFacts(flags: PlanFlags): Promise<PlanFacts> {
  const { instanceClass, host } = flags
  const notes: string[] = []
  const facts = instanceClass === undefined ? undefined : readInstanceClass(instanceClass)
  if (facts?.hasIamLogins === false) {
    throw new UsageError(
      `--instance-class: ${instanceClass} has no IAM logins. Take a larger class for every instance of the cluster.`,
    )
  }
  if (facts?.maxConnections !== undefined)
    notes.push(`${instanceClass}: max_connections ${facts.maxConnections} by default`)
  const byClass = { limit: facts?.loginsPerSecond, maxConnections: facts?.maxConnections }
  if (host === undefined) {
    refuseUnused(
      flags,
      ['user', 'port', 'hostname', 'dial', 'region', 'profile', 'ca'],
      'without --host no database is asked. Give --host as well, or leave it out.',
    )
    return { ...byClass, notes }
  }
  const { askDatabase } = await import('../facts/ask-database.ts')
  const { maxConnections, openConnections, loginMs } = await askDatabase(readTarget(flags))
  const loginTime = Math.max(1, Math.round(loginMs))
  notes.push(
    `${host}: max_connections ${maxConnections}, ${openConnections} open now, a login takes ${loginTime} ms`,
  )
  return { ...byClass, maxConnections: maxConnections - openConnections, loginMs: loginTime, notes }
}

/** Refuses a fleet with more connections than can be simulated. @throws {@link UsageError} */
function assertSimulated({ processes, pool }: Pick<Fleet, 'processes' | 'pool'>): void {
  const connections = processes * pool
  if (connections <= MOST_CONNECTIONS) return
  throw new UsageError(
    `--processes and --pool: ${processes} x ${pool} is ${connections} connections, and at most ` +
      `${MOST_CONNECTIONS} are simulated. Give fewer processes or a smaller pool.`,
  )
}
