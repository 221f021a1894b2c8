import type { Address, AuroraIamOptions } from '@aurora-iam/core'
import { readCertificates, storedBundle } from './certificates.ts'
import { type DatabaseUrl, readDatabaseUrl } from './database-url.ts'
import { FLAG_NAMES, namesWithSources, type OptionNames } from './option-names.ts'
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
  /** Names of the options, with the places where the values are set. */
  readonly names: OptionNames
}

/**
 * Returns the database that the options name. What they leave out comes from `DATABASE_URL`.
 *
 * @param given - Names of the options. @defaultValue those of the command line
 * @throws {@link UsageError} for a host or user that is missing and for values that cannot be read
 */
export function readTarget(
  flags: TargetFlags,
  environment: NodeJS.ProcessEnv = process.env,
  given: OptionNames = FLAG_NAMES,
): Target {
  const url = flags.host === undefined ? readDatabaseUrl(environment.DATABASE_URL) : undefined
  const host = flags.host ?? url?.host
  const user = flags.user ?? url?.user
  if (host === undefined)
    throw new UsageError('--host is missing. Give the endpoint of the database, or set DATABASE_URL.')
  if (user === undefined) throw new UsageError(missingUser(url))
  const { hostname, region, profile, dial } = flags
  const ca = caFile(flags, hostname ?? host, environment)
  const names = namesWithSources(given, { ...urlSources(flags, url), ca: ca?.option })
  const iam = {
    hostname,
    region,
    profile,
    dial: dial === undefined ? undefined : readAddress(dial, names.setAs('dial')),
    ca: ca && readCertificates(ca.path, names.setAs('ca')),
  }
  return {
    host,
    user,
    port: flags.port ?? url?.port ?? '3306',
    database: flags.database ?? url?.database,
    iam: withoutUndefined(iam),
    names,
  }
}

/** Returns the message for a user that neither the options nor the URL of the database have. */
export function missingUser(url: DatabaseUrl | undefined): string {
  return url === undefined
    ? '--user is missing. Give the database user to log in as.'
    : 'DATABASE_URL has no user. Give the database user in it, or with --user.'
}

/** Returns `DATABASE_URL` for each option whose value comes from there. */
export function urlSources(
  flags: Partial<Record<keyof DatabaseUrl, string>>,
  url: DatabaseUrl | undefined,
): Readonly<Record<string, string>> {
  const parts = Object.keys(url ?? {}) as (keyof DatabaseUrl)[]
  const read = parts.filter((part) => flags[part] === undefined && url?.[part] !== undefined)
  return Object.fromEntries(read.map((part) => [part, 'DATABASE_URL']))
}

/** Returns the file with the certificate authorities. Its option is undefined where the caller's options have it. */
function caFile(
  { ca, region }: TargetFlags,
  hostname: string,
  environment: NodeJS.ProcessEnv,
): { readonly path: string; readonly option: string | undefined } | undefined {
  if (ca !== undefined) return { path: ca, option: undefined }
  if (environment.AURORA_IAM_CA) return { path: environment.AURORA_IAM_CA, option: 'AURORA_IAM_CA' }
  const path = storedBundle(hostname, region, environment)
  return path === undefined ? undefined : { path, option: 'the bundle that `aurora-iam ca` stored' }
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
