import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseRdsHostname } from '@aurora-iam/core/adapter'
import { UsageError } from './usage-error.ts'

/**
 * Returns the certificates in a file.
 *
 * @throws {@link UsageError} which quotes nothing of the file: it may be another file, with a secret
 */
export function readCertificates(path: string, option: string): string {
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`)
  }
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new UsageError(`${option}: ${path} has no certificate in PEM`)
  return pem
}

/** Returns the folder where `aurora-iam ca` stores bundles, by the XDG base directory specification. */
export function bundleFolder(environment: NodeJS.ProcessEnv): string {
  return join(environment.XDG_DATA_HOME || join(homedir(), '.local/share'), 'aurora-iam')
}

/**
 * Returns the path of the bundle that `aurora-iam ca` stored for the Region of a host, or undefined if there is none.
 */
export function storedBundle(
  hostname: string,
  region: string | undefined,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  const parsed = parseRdsHostname(hostname)
  // The certificates of an RDS Proxy are not those of the Region's bundle.
  if (parsed?.kind === 'proxy' || parsed?.kind === 'proxy-endpoint') return undefined
  const place = parsed?.region ?? region
  if (place === undefined || !/^[a-z0-9-]+$/.test(place)) return undefined
  const path = join(bundleFolder(environment), `${place}-bundle.pem`)
  return existsSync(path) ? path : undefined
}
