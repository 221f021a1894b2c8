import type { ConnectionTarget } from '@aurora-iam/core/adapter'
import type { Finding } from '../finding.ts'
import { clientOptions, whyNotAsked } from './aws-call.ts'
import { type DatabaseDescription, describeDatabase, NotDescribed } from './describe-database.ts'
import { NotSimulated, simulatePermission } from './simulate-permission.ts'

/** Identity that calls the AWS API and signs tokens. */
export interface AwsCaller {
  /** ARN of the identity, as AWS STS reports it. */
  readonly arn: string | undefined
  readonly profile: string | undefined
}

/** Permissions that describe a database, by kind of endpoint. */
const DESCRIBE_PERMISSIONS: Readonly<Partial<Record<ConnectionTarget['kind'], string>>> = {
  'cluster-custom': 'rds:DescribeDBClusterEndpoints and rds:DescribeDBClusters',
  instance: 'rds:DescribeDBInstances and rds:DescribeDBClusters',
  proxy: 'rds:DescribeDBProxies',
  'proxy-endpoint': 'rds:DescribeDBProxyEndpoints and rds:DescribeDBProxies',
}

/**
 * Checks a login by the AWS API: whether the database accepts tokens, its port, and whether the identity may connect. A
 * check that cannot run reports why, and is no fault.
 */
export async function* awsFindings(
  target: ConnectionTarget,
  { arn, profile }: AwsCaller,
): AsyncGenerator<Finding> {
  const options = clientOptions(target.region, profile)
  let database: DatabaseDescription
  try {
    database = await describeDatabase(target, options)
  } catch (thrown) {
    const error = thrown as Error
    const permission = DESCRIBE_PERMISSIONS[target.kind] ?? 'rds:DescribeDBClusters'
    const seen = error instanceof NotDescribed ? error.message : whyNotAsked(error, permission)
    yield { check: 'IAM', verdict: 'unknown', seen }
    yield { check: 'permission', verdict: 'unknown', seen: 'the resource id is not known, see above' }
    return
  }
  yield iamFinding(database)
  if (database.port !== undefined && database.port !== target.port)
    yield portFinding(database.port, database.name, target)
  yield { check: 'permission', ...(await permissionFinding(database, target, { arn, profile })) }
}

function iamFinding({ name, how, resourceId, acceptsTokens, remedies }: DatabaseDescription): Finding {
  const seen = `${name}: ${how}; its resource id is ${resourceId}`
  return acceptsTokens
    ? { check: 'IAM', verdict: 'ok', seen }
    : { check: 'IAM', verdict: 'fail', seen, remedies: ['Switch it on:', ...remedies] }
}

function portFinding(port: number, name: string, target: ConnectionTarget): Finding {
  return {
    check: 'port',
    verdict: 'fail',
    seen: `the ${name} listens on port ${port}, and the token is signed for port ${target.port}`,
    remedies: [`Give the port of the database: --port ${port}. The near end of a tunnel is --dial.`],
  }
}

async function permissionFinding(
  { arn: databaseArn, resourceId }: DatabaseDescription,
  { username, region }: ConnectionTarget,
  { arn, profile }: AwsCaller,
): Promise<Omit<Finding, 'check'>> {
  if (arn === undefined) return { verdict: 'unknown', seen: 'who signs is not known, see identity' }
  const [, partition, , itsRegion, account] = databaseArn.split(':')
  const resource = `arn:${partition}:rds-db:${itsRegion}:${account}:dbuser:${resourceId}/${username}`
  try {
    return await simulatePermission(arn, resource, clientOptions(region, profile))
  } catch (thrown) {
    const error = thrown as Error
    const seen =
      error instanceof NotSimulated ? error.message : whyNotAsked(error, 'iam:SimulatePrincipalPolicy')
    return { verdict: 'unknown', seen }
  }
}
