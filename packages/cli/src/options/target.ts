import type { Address, AuroraIamOptions } from '@aurora-iam/core'
import { readCertificates, storedCertificates } from './certificates.ts'
import { readDatabaseUrl } from './database-url.ts'
import type { TargetFlags } from './target-flags.ts'
import { UsageError } from './usage-error.ts'

/** The database that a command works on. */
export interface Target {
  /** Host name as the caller gave it. */
  readonly host: string
  /** Port as the caller gave it: core checks it. */
  readonly port: string
  readonly user: string
  readonly database: string | undefined
  readonly iam: AuroraIamOptions
}

/**
 * Returns the database that the options name. What they leave out comes from `DATABASE_URL`.
 *
 * @throws {@link UsageError} for a host or user that is missing and for values that cannot be read
 */
export function readTarget(flags: TargetFlags, environment: NodeJS.ProcessEnv = process.env): Target {
  const url = flags.host === undefined ? readDatabaseUrl(environment.DATABASE_URL) : undefined
  const host = flags.host ?? url?.host
  const user = flags.user ?? url?.user
  if (host === undefined)
    throw new UsageError('--host is missing. Give the endpoint of the database, or set DATABASE_URL.')
  if (user === undefined) throw new UsageError('--user is missing. Give the database user to log in as.')
  const { hostname, region, profile, dial } = flags
  const ca = flags.ca ?? (environment.AURORA_IAM_CA || undefined)
  const iam = {
    hostname,
    region,
    profile,
    dial: dial === undefined ? undefined : readAddress(dial, '--dial'),
    ca:
      ca === undefined
        ? storedCertificates(hostname ?? host, region, environment)
        : readCertificates(ca, flags.ca === undefined ? 'AURORA_IAM_CA' : '--ca'),
  }
  return {
    host,
    user,
    port: flags.port ?? url?.port ?? '3306',
    database: flags.database ?? url?.database,
    iam: withoutUndefined(iam),
  }
}

/** Returns `options` without the properties that were not given: core has a default for each. */
function withoutUndefined(options: AuroraIamOptions): AuroraIamOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/**
 * Returns the host and port in `text`. An IPv6 address stands in brackets.
 *
 * @throws {@link UsageError}
 */
export function readAddress(text: string, option: string): Address {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  if (host === undefined || port === undefined || Number(port) > 65_535)
    throw new UsageError(`${option}: expected a host and a port, as in 127.0.0.1:13306.`)
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
}
