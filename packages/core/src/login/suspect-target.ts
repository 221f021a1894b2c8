import type { Address, ConnectionTarget } from '../endpoint/connection-target.ts'
import { parseRdsHostname } from '../endpoint/rds-hostname.ts'

const USUAL_PORT = 3306

/**
 * Where a tunnel may begin whose port is signed in place of the database's own: another host is dialled than the one
 * that is signed, on the port that is signed, which is not MySQL's usual one.
 *
 * @returns undefined where nothing speaks against the port
 */
export function suspectedTunnel(target: ConnectionTarget): Address | undefined {
  const { hostname, port } = target
  if (port === USUAL_PORT) return undefined
  const dialled = dialOf(target)
  return dialled && dialled.host !== hostname && dialled.port === port ? dialled : undefined
}

/** Whether the Region that is signed may be another's: somebody gave it, and the name of the database cannot contradict. */
export function isRegionDoubtful({ hostname }: ConnectionTarget): boolean {
  return parseRdsHostname(hostname)?.region === undefined
}

/** The caller's own function may answer, and fail: the server's error must not be lost for it. */
function dialOf(target: ConnectionTarget): Address | undefined {
  try {
    return target.dial
  } catch {
    return undefined
  }
}
