import type { AccessTarget } from './access-target.ts'

/** Returns the ARN that a policy names for a user of a database. */
export function resourceArn({ partition, region, account, resourceId, user }: AccessTarget): string {
  return `arn:${partition}:rds-db:${region}:${account}:dbuser:${resourceId}/${user}`
}

/**
 * Returns the identity policy that allows the login.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
 */
export function policyFor(target: AccessTarget): object {
  return {
    Version: '2012-10-17',
    Statement: [
      { Sid: 'AuroraIamConnect', Effect: 'Allow', Action: 'rds-db:connect', Resource: resourceArn(target) },
    ],
  }
}

/** Returns what the two IAM modes of an RDS Proxy need, a line each; nothing for other endpoints. */
export function proxyNotes({ kind, proxyMode }: AccessTarget): readonly string[] {
  if (kind !== 'proxy') return []
  return proxyMode === 'standard'
    ? [
        'Standard mode: the token is for the proxy, and the proxy logs in to the database with the password in Secrets Manager.',
        'The policy names the proxy (prx-…). The database user has that password, and not AWSAuthenticationPlugin.',
      ]
    : [
        'End-to-end mode: the proxy logs in to the database with IAM as well. The database user has AWSAuthenticationPlugin.',
        'The role of the proxy needs rds-db:connect on the cluster (cluster-…), beside this policy on the proxy (prx-…).',
      ]
}
