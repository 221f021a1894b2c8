import { parseRdsHostname, partitionOf, type RdsHostname } from '@aurora-iam/core/adapter'
import type { AccessFlags } from '../options/access-flags.ts'
import { readDatabaseUrl } from '../options/database-url.ts'
import { FLAG_NAMES, namesWithSources } from '../options/option-names.ts'
import { missingUser, urlSources } from '../options/target.ts'
import { UsageError } from '../options/usage-error.ts'
import { assertName, assertUser } from './names.ts'

/** User and database of a login, by the names that AWS has for them. */
export interface AccessTarget {
  readonly hostname: string
  /** `proxy` for an RDS Proxy, whose permission names the proxy in place of the database. */
  readonly kind: 'cluster' | 'instance' | 'proxy'
  /** Identifier of the cluster, instance or proxy: the first label of the host name. */
  readonly identifier: string
  readonly region: string
  readonly partition: string
  /** Number of the AWS account, twelve digits, or the placeholder `ACCOUNT_ID`. */
  readonly account: string
  /** Resource id, such as `cluster-ABCDEFGHIJKL`, or a placeholder. */
  readonly resourceId: string
  readonly user: string
  readonly database: string | undefined
  /** IAM mode of a proxy. With `end-to-end` the proxy logs in to the database with IAM as well. */
  readonly proxyMode: 'standard' | 'end-to-end'
  /** Facts and placeholders to replace, a line each. */
  readonly notes: readonly string[]
}

const PREFIXES = { cluster: 'cluster-', instance: 'db-', proxy: 'prx-' } as const

const LOOK_UP = {
  cluster: (id: string) =>
    `aws rds describe-db-clusters --db-cluster-identifier ${id} --query 'DBClusters[0].DbClusterResourceId'`,
  instance: (id: string) =>
    `aws rds describe-db-instances --db-instance-identifier ${id} --query 'DBInstances[0].DbiResourceId'`,
  proxy: (id: string) =>
    `aws rds describe-db-proxies --db-proxy-name ${id} --query 'DBProxies[0].DBProxyArn'`,
} as const

/**
 * Returns the access that the options ask for.
 *
 * @param allowsAnyUser - True if `*` stands for every user, as in a policy.
 * @throws {@link UsageError} for a part that is missing, invalid, or contradicts the host name
 */
export function readAccessTarget(
  flags: AccessFlags,
  { allowsAnyUser = false }: { readonly allowsAnyUser?: boolean } = {},
  environment: NodeJS.ProcessEnv = process.env,
): AccessTarget {
  const url = flags.host === undefined ? readDatabaseUrl(environment.DATABASE_URL) : undefined
  const host = flags.host ?? url?.host
  const user = flags.user ?? url?.user
  if (host === undefined)
    throw new UsageError('--host is missing. Give the endpoint that RDS issued, or set DATABASE_URL.')
  if (user === undefined) throw new UsageError(missingUser(url))
  const { setAs } = namesWithSources(FLAG_NAMES, urlSources(flags, url))
  if (!(allowsAnyUser && user === '*')) assertUser(user, setAs('user'))
  const database = flags.database ?? url?.database
  if (database !== undefined) assertName(database, setAs('database'), 64)
  const parsed = parseRdsHostname(host)
  if (parsed === undefined)
    throw new UsageError(
      `${setAs('host')}: expected an endpoint that RDS issued, not an address or another name.`,
    )
  const region = regionOf(flags, parsed)
  const kind = kindOf(parsed.kind)
  // The name of a custom endpoint or of a global database is not that of the cluster.
  const isNamedByHost =
    parsed.kind !== 'cluster-custom' && parsed.kind !== 'global-writer' && parsed.kind !== 'other'
  const identifier = isNamedByHost ? (parsed.hostname.split('.')[0] as string) : 'NAME_OF_THE_CLUSTER'
  const notes: string[] = []
  const account = accountOf(flags, notes)
  const resourceId = resourceIdOf(
    flags,
    { kind, identifier, isEndpoint: parsed.kind === 'proxy-endpoint' },
    notes,
  )
  if (user === '*')
    notes.push('The policy allows every database user. Name the users that the program needs.')
  if (parsed.kind === 'global-writer')
    notes.push(
      'A global database has one cluster for each Region, with its own resource id. Allow each of them.',
    )
  const { proxyMode = 'standard' } = flags
  if (proxyMode !== 'standard' && proxyMode !== 'end-to-end')
    throw new UsageError('--proxy-mode: expected standard or end-to-end.')
  if (flags.proxyMode !== undefined && kind !== 'proxy')
    throw new UsageError(
      `--proxy-mode: ${parsed.hostname} is not the endpoint of an RDS Proxy. Leave it out.`,
    )
  const { hostname } = parsed
  const partition = partitionOf(region)
  return {
    ...{
      hostname,
      kind,
      identifier,
      region,
      partition,
      account,
      resourceId,
      user,
      database,
      proxyMode,
      notes,
    },
  }
}

function regionOf({ region: given }: AccessFlags, { hostname, region }: RdsHostname): string {
  if (given !== undefined && !/^[a-z]{2,4}(-[a-z]+){1,2}-\d{1,2}$/.test(given))
    throw new UsageError('--region: expected a Region such as eu-west-1.')
  // A permission for another Region than that of the database allows nothing.
  if (given !== undefined && region !== undefined && given !== region) {
    throw new UsageError(
      `--region: ${given} contradicts ${hostname}, which is in ${region}. Leave --region out: the name has it.`,
    )
  }
  const known = given ?? region
  if (known === undefined)
    throw new UsageError('--region: the name of the host does not show it. Give one such as eu-west-1.')
  return known
}

function kindOf(kind: string): AccessTarget['kind'] {
  if (kind === 'instance') return 'instance'
  return kind === 'proxy' || kind === 'proxy-endpoint' ? 'proxy' : 'cluster'
}

function accountOf({ account }: AccessFlags, notes: string[]): string {
  if (account === undefined) {
    notes.push('Replace ACCOUNT_ID: aws sts get-caller-identity --query Account')
    return 'ACCOUNT_ID'
  }
  if (!/^\d{12}$/.test(account))
    throw new UsageError('--account: expected the twelve digits of an AWS account.')
  return account
}

function resourceIdOf(
  { resourceId }: AccessFlags,
  {
    kind,
    identifier,
    isEndpoint,
  }: Pick<AccessTarget, 'kind' | 'identifier'> & { readonly isEndpoint: boolean },
  notes: string[],
): string {
  const prefix = PREFIXES[kind]
  if (resourceId === undefined) {
    const name = isEndpoint ? 'NAME_OF_THE_PROXY' : identifier
    notes.push(`Replace ${prefix}RESOURCE_ID: ${LOOK_UP[kind](name)}`)
    if (kind === 'instance')
      notes.push('If the instance is a member of an Aurora cluster, the id is that of the cluster: cluster-…')
    return `${prefix}RESOURCE_ID`
  }
  if (resourceId === '*') {
    notes.push('The policy allows every database of the Region. Name the resource id of this one.')
    return '*'
  }
  const lookUp = LOOK_UP[kind](identifier)
  if (/[*?]/.test(resourceId)) {
    throw new UsageError(
      `--resource-id: an id has no wildcard. Give the whole id, or * alone for every database of the Region: ${lookUp}`,
    )
  }
  // An instance of Aurora has an id that begins with db-, and policies name its cluster.
  const allowed = kind === 'instance' ? ['cluster-', 'db-'] : [prefix]
  const begins = allowed.find((start) => resourceId.startsWith(start))
  if (begins === undefined)
    throw new UsageError(`--resource-id: this endpoint has one that begins with ${prefix}: ${lookUp}`)
  if (!/^[A-Za-z0-9]{1,64}$/.test(resourceId.slice(begins.length))) {
    throw new UsageError(
      `--resource-id: expected 1 to 64 letters and digits after ${begins}. Copy the id as AWS shows it: ${lookUp}`,
    )
  }
  return resourceId
}
