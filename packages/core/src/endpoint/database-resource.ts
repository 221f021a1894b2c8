import type { EndpointKind } from './rds-hostname.ts'

/** The AWS resource behind an endpoint: what a permission to connect names, and where its settings are. */
export interface DatabaseResource {
  /** Prefix of the resource id. The id is in no host name. */
  readonly idPrefix: 'cluster-' | 'db-' | 'prx-'
  /** Where the id is found, as in "the DbClusterResourceId that … returns". */
  readonly idSource: string
  /**
   * The AWS CLI command that switches IAM authentication on; undefined for RDS Proxy, where each user has a setting.
   */
  readonly enableCommand: string | undefined
}

const CLUSTER: DatabaseResource = {
  idPrefix: 'cluster-',
  idSource: 'the DbClusterResourceId that `aws rds describe-db-clusters` returns',
  enableCommand: 'aws rds modify-db-cluster --enable-iam-database-authentication --apply-immediately',
}

const INSTANCE: DatabaseResource = {
  idPrefix: 'db-',
  idSource: 'the DbiResourceId that `aws rds describe-db-instances` returns',
  enableCommand: 'aws rds modify-db-instance --enable-iam-database-authentication --apply-immediately',
}

const PROXY: DatabaseResource = {
  idPrefix: 'prx-',
  idSource: 'the last part of the DBProxyArn that `aws rds describe-db-proxies` returns',
  enableCommand: undefined,
}

/**
 * Returns the resources that an endpoint of this kind may lead to, the likeliest first. An instance endpoint is that of
 * a plain RDS instance or of a member of a cluster, and its name does not tell which; the permission for a member names
 * the cluster.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
 */
export function databaseResources(kind: EndpointKind): readonly [DatabaseResource, ...DatabaseResource[]] {
  if (kind === 'proxy' || kind === 'proxy-endpoint') return [PROXY]
  if (kind === 'instance' || kind === 'other') return [INSTANCE, CLUSTER]
  return [CLUSTER]
}
