import type { Address } from '../endpoint/address.ts'
import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { parseRdsHostname } from '../endpoint/rds-hostname.ts'

const USUAL_PORT = 3306

/**
 * Returns where a tunnel may begin whose port is signed instead of the database's own: another host is dialled than
 * the one that is signed, on the port that is signed, which is not MySQL's usual one.
 *
 * @param dialled - where the connection went; undefined where none was opened
 * @returns undefined where nothing contradicts the port
 */
export function suspectedTunnel(
  { hostname, port }: ConnectionTarget,
  dialled: Address | undefined,
): Address | undefined {
  if (!dialled || port === USUAL_PORT) return undefined
  return dialled.host !== hostname && dialled.port === port ? dialled : undefined
}

/**
 * Returns true where the Region that is signed may be wrong: the caller gave it, and the host name does not have it.
 */
export function isRegionDoubtful({ hostname }: ConnectionTarget): boolean {
  return parseRdsHostname(hostname)?.region === undefined
}
