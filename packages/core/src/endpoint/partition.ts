// us-iso-east-1 is in aws-iso, and us-isob-east-1 in aws-iso-b.
const OTHER = /^(?:(cn|us-gov|eusc)|(?:us|eu)-(iso)([a-z]?))-/

/**
 * Returns the AWS partition of a Region, which is the second part of an ARN. Accounts, credentials and endpoints belong
 * to one partition. None of them is valid in another.
 *
 * @see https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
 * @see https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json
 */
export function partitionOf(region: string): string {
  const [, name, iso, letter] = OTHER.exec(region) ?? []
  return ['aws', name ?? iso, letter].filter(Boolean).join('-')
}
