import { AuroraIamError } from '../errors.ts'
import { describe } from '../util/validate.ts'
import { isRegion } from './rds-hostname.ts'

/**
 * The Region that the AWS SDK is configured for: `AWS_REGION`, else the profile's. Asked only when neither the
 * caller nor the host name says.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_REGION_UNKNOWN`
 */
export async function configuredRegion(profile: string | undefined): Promise<string> {
  const { loadConfig, NODE_REGION_CONFIG_OPTIONS, NODE_REGION_CONFIG_FILE_OPTIONS } = await import(
    '@smithy/core/config'
  )
  let region: string
  try {
    region = await loadConfig(NODE_REGION_CONFIG_OPTIONS, {
      ...NODE_REGION_CONFIG_FILE_OPTIONS,
      profile,
      // As for credentials: else the SDK never sees a file rewritten.
      ignoreCache: true,
    })()
  } catch (cause) {
    throw regionUnknown('the host name does not tell it, and AWS_REGION and the profile do not set it', {
      cause,
    })
  }
  if (isRegion(region)) return region
  throw regionUnknown(
    `the host name does not tell it, and AWS_REGION or the profile says ${describe(region)}`,
  )
}

/** The error for a Region that nobody gave. */
export function regionUnknown(why: string, details: { cause?: unknown } = {}): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_REGION_UNKNOWN',
    `region: ${why}. Give the Region of the database as \`region\`.`,
    { option: 'region', ...details },
  )
}
