import type { AccessTarget } from './access-target.ts'

/** Expressions of the AWS CDK for the resource id of each kind. */
const RESOURCE_IDS = {
  cluster: 'cluster.clusterResourceIdentifier',
  instance: 'instance.instanceResourceId',
  proxy: "Fn.select(6, Fn.split(':', proxy.dbProxyArn))",
} as const

/** Returns TypeScript for the AWS CDK that allows a role the login. */
export function cdkFor(target: AccessTarget): string {
  const { kind, partition, region, account, resourceId, user } = target
  const isKnown = !resourceId.endsWith('RESOURCE_ID')
  const imports = [
    ...(isKnown || kind !== 'proxy' ? [] : ['Fn']),
    ...(account === 'ACCOUNT_ID' ? ['Stack'] : []),
  ]
  const id = isKnown ? resourceId : `\${${RESOURCE_IDS[kind]}}`
  const owner = account === 'ACCOUNT_ID' ? `\${Stack.of(this).account}` : account
  return [
    ...(imports.length === 0 ? [] : [`import { ${imports.join(', ')} } from 'aws-cdk-lib'`]),
    "import { PolicyStatement } from 'aws-cdk-lib/aws-iam'",
    '',
    'role.addToPrincipalPolicy(',
    '  new PolicyStatement({',
    "    sid: 'AuroraIamConnect',",
    "    actions: ['rds-db:connect'],",
    `    resources: [\`arn:${partition}:rds-db:${region}:${owner}:dbuser:${id}/${user}\`],`,
    '  }),',
    ')',
    '',
  ].join('\n')
}
