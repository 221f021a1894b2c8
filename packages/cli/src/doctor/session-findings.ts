import { type Session, WireError } from '@aurora-iam/wire'
import { readConnectionFacts } from '../facts/connection-facts.ts'
import { engineOf, isAtLeast } from '../facts/engine-version.ts'
import { query, queryNumber } from '../facts/query.ts'
import { classFinding } from './class-finding.ts'
import type { Finding } from './finding.ts'

/** Fleet and instance class that the caller plans with. */
export interface PlannedFleet {
  readonly processes: number | undefined
  readonly pool: number | undefined
  readonly instanceClass: string | undefined
}

/** A smaller difference between the clocks is the time of the query. */
const CLOCK_DIFFERENCE_MS = 60_000

/** Checks the database over an open session, and whether it can serve the fleet. */
export async function* sessionFindings(session: Session, fleet: PlannedFleet): AsyncGenerator<Finding> {
  yield await check('user', () => userFinding(session))
  yield await check('version', () => versionFinding(session))
  yield await check('server clock', () => serverClockFinding(session))
  yield await check('connections', () => connectionsFinding(session, fleet))
  const classCheck = classFinding(fleet.instanceClass)
  if (classCheck !== undefined) yield classCheck
}

/** Returns the finding of a check. If the database refuses its query, the verdict is `unknown`: the login works. */
async function check(name: string, find: () => Promise<Omit<Finding, 'check'>>): Promise<Finding> {
  try {
    return { check: name, ...(await find()) }
  } catch (error) {
    const { errno, message } = error as WireError
    const why =
      error instanceof WireError && errno !== undefined ? `${errno}: ${message}` : (error as Error).message
    return { check: name, verdict: 'unknown', seen: `it could not be asked (${why})` }
  }
}

async function userFinding(session: Session): Promise<Omit<Finding, 'check'>> {
  const rows = await query(session, 'SHOW CREATE USER CURRENT_USER()')
  const statement = rows[0]?.at(-1) ?? ''
  const hasPlugin = /AWSAuthenticationPlugin/i.test(statement)
  const requiresTls = /REQUIRE (SSL|X509|SUBJECT|ISSUER|CIPHER)/i.test(statement)
  if (!hasPlugin) {
    return {
      verdict: 'unknown',
      seen: 'the user is not one of AWSAuthenticationPlugin: an RDS Proxy in standard mode, or no Aurora',
    }
  }
  if (requiresTls) return { verdict: 'ok', seen: 'AWSAuthenticationPlugin, and TLS is required' }
  return {
    verdict: 'fail',
    seen: 'AWSAuthenticationPlugin, and TLS is not required: a client without TLS would send its token in the clear',
    remedies: ['An administrator of the database changes it:', '  ALTER USER CURRENT_USER() REQUIRE SSL;'],
  }
}

async function versionFinding(session: Session): Promise<Omit<Finding, 'check'>> {
  const [[server] = []] = await query(session, 'SELECT @@version')
  const aurora = await query(session, 'SELECT AURORA_VERSION()').then(
    (rows) => rows[0]?.[0] || undefined,
    () => undefined,
  )
  const { name, minimum } = engineOf(server ?? '', aurora)
  if (minimum === undefined) return { verdict: 'unknown', seen: `${name}: no minimum is documented for it` }
  if (isAtLeast(aurora ?? server ?? '', minimum)) return { verdict: 'ok', seen: `${name} has IAM logins` }
  return {
    verdict: 'fail',
    seen: `${name} is older than ${minimum}, which IAM logins need`,
    remedies: ['Upgrade the engine: `aws rds describe-db-engine-versions` lists the versions.'],
  }
}

async function serverClockFinding(session: Session): Promise<Omit<Finding, 'check'>> {
  const seconds = await queryNumber(session, 'SELECT UNIX_TIMESTAMP(NOW(3))')
  const aheadMs = Date.now() - seconds * 1000
  const distance = `${Math.round(Math.abs(aheadMs) / 1000)} s`
  if (Math.abs(aheadMs) < CLOCK_DIFFERENCE_MS)
    return { verdict: 'ok', seen: `${distance} from the clock of this machine` }
  return {
    verdict: 'fail',
    seen: `the clock of this machine is ${distance} ${aheadMs > 0 ? 'ahead of' : 'behind'} that of the database`,
    remedies: [
      'Set the clock of this machine, and keep it right: chronyc makestep, timedatectl set-ntp true.',
    ],
  }
}

async function connectionsFinding(
  session: Session,
  { processes, pool }: PlannedFleet,
): Promise<Omit<Finding, 'check'>> {
  const { maxConnections, openConnections } = await readConnectionFacts(session)
  const seen = `max_connections ${maxConnections}, ${openConnections} others open now`
  if (processes === undefined || pool === undefined)
    return { verdict: 'ok', seen: `${seen}. --processes and --pool check whether a fleet fits` }
  const needed = processes * pool
  if (needed + openConnections <= maxConnections) return { verdict: 'ok', seen: `${seen}, ${needed} planned` }
  return {
    verdict: 'fail',
    seen: `${seen}, and ${processes} processes with ${pool} connections need ${needed}`,
    remedies: [
      'Make the pools smaller, start fewer processes, put an RDS Proxy before them, or take a larger class.',
    ],
  }
}
