import type { AccessTarget } from './access-target.ts'

/** Source of the resource id of each kind in Terraform, by the identifier in the host name. */
const SOURCES = {
  cluster: { type: 'aws_rds_cluster', key: 'cluster_identifier', attribute: 'cluster_resource_id' },
  instance: { type: 'aws_db_instance', key: 'db_instance_identifier', attribute: 'resource_id' },
  proxy: { type: 'aws_db_proxy', key: 'name', attribute: 'arn' },
} as const

/** Returns Terraform for the policy. Terraform looks up the ids that the options leave out. */
export function terraformFor(target: AccessTarget): string {
  const { kind, identifier, partition, region, account, resourceId, user } = target
  const { type, key, attribute } = SOURCES[kind]
  const isKnown = !resourceId.endsWith('RESOURCE_ID')
  const looked = `data.${type}.database.${attribute}`
  const id = isKnown ? resourceId : `\${${kind === 'proxy' ? `element(split(":", ${looked}), 6)` : looked}}`
  const owner = account === 'ACCOUNT_ID' ? `\${data.aws_caller_identity.current.account_id}` : account
  return [
    ...(account === 'ACCOUNT_ID' ? ['data "aws_caller_identity" "current" {}', ''] : []),
    ...(isKnown ? [] : [`data "${type}" "database" {`, `  ${key} = "${identifier}"`, '}', '']),
    'data "aws_iam_policy_document" "aurora_iam_connect" {',
    '  statement {',
    '    sid       = "AuroraIamConnect"',
    '    actions   = ["rds-db:connect"]',
    `    resources = ["arn:${partition}:rds-db:${region}:${owner}:dbuser:${id}/${user}"]`,
    '  }',
    '}',
    '',
    'resource "aws_iam_policy" "aurora_iam_connect" {',
    `  name   = "aurora-iam-connect-${identifier}"`,
    '  policy = data.aws_iam_policy_document.aurora_iam_connect.json',
    '}',
    '',
  ].join('\n')
}
