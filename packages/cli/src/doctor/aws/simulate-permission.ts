import type { EvaluationResult, IAMClient } from '@aws-sdk/client-iam'
import type { Finding } from '../finding.ts'
import { withinTime } from './aws-call.ts'
import { loadClient } from './optional-clients.ts'

/** Error for a principal whose policies cannot be simulated. The message is for people. */
export class NotSimulated extends Error {
  override readonly name = 'NotSimulated'
}

const ACTION = 'rds-db:connect'

/**
 * Asks IAM whether an identity may connect: its policies, its permission boundary and the service control policies.
 * Policies of a session are not among them.
 *
 * @param arn - ARN of the identity, as AWS STS reports it.
 * @param resource - ARN of the database user.
 * @throws ClientMissing; {@link NotSimulated}; the error of the AWS API
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 */
export async function simulatePermission(
  arn: string,
  resource: string,
  options: ConstructorParameters<typeof IAMClient>[0],
): Promise<Omit<Finding, 'check'>> {
  const iam = await loadClient('@aws-sdk/client-iam')
  const client = new iam.IAMClient({ ...options })
  try {
    const source = await policySource(arn, async (RoleName) => {
      const { Role } = await client.send(new iam.GetRoleCommand({ RoleName }), withinTime())
      return Role?.Arn
    })
    const question = new iam.SimulatePrincipalPolicyCommand({
      PolicySourceArn: source,
      ActionNames: [ACTION],
      ResourceArns: [resource],
    })
    const { EvaluationResults: [result] = [] } = await client.send(question, withinTime())
    if (result === undefined) throw new NotSimulated('IAM returned no result')
    return findingOf(result, source, resource)
  } finally {
    client.destroy()
  }
}

/**
 * Returns the user or role whose policies count. AWS STS names the session of a role, without the path of the role.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */
async function policySource(
  arn: string,
  roleArn: (name: string) => Promise<string | undefined>,
): Promise<string> {
  const [, partition, service, , account, resource = ''] = arn.split(':')
  const [type, name = ''] = resource.split('/')
  if (service === 'iam' && type === 'user') return arn
  if (service !== 'sts' || type !== 'assumed-role') {
    throw new NotSimulated(`IAM simulates the policies of users and roles, and ${arn} is neither`)
  }
  // Without iam:GetRole the role is taken for one without a path, as most are.
  return (await roleArn(name).catch(() => undefined)) ?? `arn:${partition}:iam::${account}:role/${name}`
}

function findingOf(result: EvaluationResult, source: string, resource: string): Omit<Finding, 'check'> {
  const { EvalDecision, MatchedStatements = [] } = result
  const policies = [...new Set(MatchedStatements.map(({ SourcePolicyId }) => SourcePolicyId))].join(', ')
  if (EvalDecision === 'allowed') {
    return {
      verdict: 'ok',
      seen: `${source} may connect: ${ACTION} on ${resource} is allowed${policies && ` by ${policies}`}`,
    }
  }
  return {
    verdict: 'fail',
    seen: `${source} may not connect: ${reasonOf(result, policies)}`,
    remedies: [
      'An administrator of the account allows it:',
      JSON.stringify({ Effect: 'Allow', Action: ACTION, Resource: resource }),
    ],
  }
}

function reasonOf(result: EvaluationResult, policies: string): string {
  const { EvalDecision, OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail } = result
  if (OrganizationsDecisionDetail?.AllowedByOrganizations === false)
    return 'a service control policy of the organization does not allow it'
  if (PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary === false)
    return 'the permission boundary does not allow it'
  return EvalDecision === 'explicitDeny'
    ? `a statement denies it${policies && `, in ${policies}`}`
    : 'no statement allows it'
}
