import type { ConnectionTarget } from '@aurora-iam/core/adapter'
import type { RDSClient } from '@aws-sdk/client-rds'
import { withinTime } from './aws-call.ts'
import { loadClient, type OptionalClients } from './optional-clients.ts'

/** Description of a database or an RDS Proxy in the AWS API. */
export interface DatabaseDescription {
  /** Kind and identifier, for people. */
  readonly name: string
  readonly arn: string
  /** Such as `cluster-ABCDEFGHIJKL`. */
  readonly resourceId: string
  /** Port that it listens on; undefined where the API does not report it. */
  readonly port: number | undefined
  readonly acceptsTokens: boolean
  /** Way in which tokens are accepted, or the reason why not. */
  readonly how: string
  /** Commands that make it accept tokens. */
  readonly remedies: readonly string[]
}

/** Error for an endpoint that the AWS API does not know. The message is for people. */
export class NotDescribed extends Error {
  override readonly name = 'NotDescribed'
}

type Rds = OptionalClients['@aws-sdk/client-rds']

/**
 * Describes the database of an endpoint, by the identifier in its name.
 *
 * @throws ClientMissing; {@link NotDescribed}; the error of the AWS API
 */
export async function describeDatabase(
  { hostname, kind }: ConnectionTarget,
  options: ConstructorParameters<typeof RDSClient>[0],
): Promise<DatabaseDescription> {
  const rds = await loadClient('@aws-sdk/client-rds')
  const client = new rds.RDSClient({ ...options })
  const [identifier = ''] = hostname.split('.')
  try {
    switch (kind) {
      case 'cluster':
      case 'cluster-ro':
        return await describeCluster(rds, client, identifier)
      case 'cluster-custom':
        return await describeCustomEndpoint(rds, client, identifier)
      case 'instance':
        return await describeInstance(rds, client, identifier)
      case 'proxy':
        return await describeProxy(rds, client, identifier)
      case 'proxy-endpoint':
        return await describeProxyEndpoint(rds, client, identifier)
      default:
        throw new NotDescribed(`the name ${hostname} does not tell which database it is`)
    }
  } finally {
    client.destroy()
  }
}

async function describeCluster(rds: Rds, client: RDSClient, id: string): Promise<DatabaseDescription> {
  const question = new rds.DescribeDBClustersCommand({ DBClusterIdentifier: id })
  const { DBClusters: [cluster] = [] } = await client.send(question, withinTime())
  if (cluster === undefined) throw new NotDescribed(`the AWS API has no cluster ${id}`)
  const { DBClusterArn, DbClusterResourceId, IAMDatabaseAuthenticationEnabled, Port } = cluster
  return {
    arn: DBClusterArn ?? '',
    resourceId: DbClusterResourceId ?? '',
    port: Port,
    ...describeSwitch('cluster', id, IAMDatabaseAuthenticationEnabled),
  }
}

async function describeCustomEndpoint(rds: Rds, client: RDSClient, id: string): Promise<DatabaseDescription> {
  const question = new rds.DescribeDBClusterEndpointsCommand({ DBClusterEndpointIdentifier: id })
  const { DBClusterEndpoints: [endpoint] = [] } = await client.send(question, withinTime())
  if (endpoint?.DBClusterIdentifier === undefined)
    throw new NotDescribed(`the AWS API has no endpoint ${id} of a cluster`)
  return describeCluster(rds, client, endpoint.DBClusterIdentifier)
}

/**
 * Describes an instance. For a member of a cluster it describes the cluster, which permission and setting belong to.
 */
async function describeInstance(rds: Rds, client: RDSClient, id: string): Promise<DatabaseDescription> {
  const question = new rds.DescribeDBInstancesCommand({ DBInstanceIdentifier: id })
  const { DBInstances: [instance] = [] } = await client.send(question, withinTime())
  if (instance === undefined) throw new NotDescribed(`the AWS API has no instance ${id}`)
  if (instance.DBClusterIdentifier !== undefined)
    return describeCluster(rds, client, instance.DBClusterIdentifier)
  const { DBInstanceArn, DbiResourceId, IAMDatabaseAuthenticationEnabled, Endpoint } = instance
  return {
    arn: DBInstanceArn ?? '',
    resourceId: DbiResourceId ?? '',
    port: Endpoint?.Port,
    ...describeSwitch('instance', id, IAMDatabaseAuthenticationEnabled),
  }
}

/** Describes the setting that clusters and instances have for IAM authentication. */
function describeSwitch(
  kind: 'cluster' | 'instance',
  id: string,
  isEnabled = false,
): Pick<DatabaseDescription, 'name' | 'acceptsTokens' | 'how' | 'remedies'> {
  return {
    name: `${kind} ${id}`,
    acceptsTokens: isEnabled,
    how: `IAM authentication is ${isEnabled ? 'enabled' : 'off'}`,
    remedies: [
      `aws rds modify-db-${kind} --db-${kind}-identifier ${id} --enable-iam-database-authentication --apply-immediately`,
    ],
  }
}

async function describeProxyEndpoint(rds: Rds, client: RDSClient, id: string): Promise<DatabaseDescription> {
  const question = new rds.DescribeDBProxyEndpointsCommand({ DBProxyEndpointName: id })
  const { DBProxyEndpoints: [endpoint] = [] } = await client.send(question, withinTime())
  if (endpoint?.DBProxyName === undefined)
    throw new NotDescribed(`the AWS API has no endpoint ${id} of a proxy`)
  return describeProxy(rds, client, endpoint.DBProxyName)
}

/**
 * Describes an RDS Proxy. It accepts tokens in its end-to-end mode, or for each secret that requires IAM.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBProxy.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_UserAuthConfigInfo.html
 */
async function describeProxy(rds: Rds, client: RDSClient, id: string): Promise<DatabaseDescription> {
  const question = new rds.DescribeDBProxiesCommand({ DBProxyName: id })
  const { DBProxies: [proxy] = [] } = await client.send(question, withinTime())
  if (proxy === undefined) throw new NotDescribed(`the AWS API has no proxy ${id}`)
  const { DBProxyArn = '', DefaultAuthScheme, Auth = [] } = proxy
  const isEndToEnd = DefaultAuthScheme === 'IAM_AUTH'
  const secrets = Auth.filter(({ IAMAuth }) => IAMAuth === 'REQUIRED' || IAMAuth === 'ENABLED').length
  return {
    name: `proxy ${id}`,
    arn: DBProxyArn,
    resourceId: DBProxyArn.split(':').at(-1) ?? '',
    port: undefined,
    acceptsTokens: isEndToEnd || secrets > 0,
    how: isEndToEnd
      ? 'end-to-end IAM (DefaultAuthScheme IAM_AUTH)'
      : `standard IAM, with tokens for ${secrets} of ${Auth.length} secrets`,
    remedies: [
      `aws rds modify-db-proxy --db-proxy-name ${id} --auth AuthScheme=SECRETS,IAMAuth=REQUIRED,SecretArn=<ARN of the secret>`,
    ],
  }
}
