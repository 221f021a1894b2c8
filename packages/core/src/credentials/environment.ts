import type { AwsCredentialIdentity } from '@smithy/types'

/**
 * Returns the credentials in the variables of the environment, where the AWS SDK's default chain takes them from there:
 * no profile is named. The chain returns the same ones, and is 300 KB of code to load, which an AWS Lambda function
 * would do at each cold start.
 *
 * @see https://github.com/aws/aws-sdk-js-v3/tree/main/packages/credential-provider-env
 */
export function credentialsOfEnvironment(profile: string | undefined): AwsCredentialIdentity | undefined {
  const {
    AWS_PROFILE,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_CREDENTIAL_EXPIRATION: expiration,
  } = process.env
  if ((profile ?? AWS_PROFILE) || !accessKeyId || !secretAccessKey) return undefined
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken ? { sessionToken } : {}),
    ...(expiration ? { expiration: new Date(expiration) } : {}),
  }
}
