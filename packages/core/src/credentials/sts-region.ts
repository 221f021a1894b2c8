import { partitionOf } from '../endpoint/partition.ts'

/**
 * Returns the Region to ask AWS STS in when the AWS SDK has none: that of the database, which is in the
 * partition of the role. The SDK's own last resort is us-east-1, which no role of China or GovCloud can be assumed in.
 *
 * @param databaseRegion - Region that the token is signed for
 * @returns undefined where `AWS_REGION` names a Region of the same partition: the caller's choice stands
 */
export function stsRegion(databaseRegion: string): string | undefined {
  const configured = process.env.AWS_REGION
  return configured && partitionOf(configured) === partitionOf(databaseRegion) ? undefined : databaseRegion
}
