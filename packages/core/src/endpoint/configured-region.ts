import { AuroraIamError } from '../errors.ts'
import { describe } from '../util/describe.ts'
import { sdkExports } from '../util/sdk-exports.ts'
import { awaitSharedFiles } from '../util/shared-files.ts'
import { isRegion } from './rds-hostname.ts'

/**
 * Returns the Region that the AWS SDK is configured for: `AWS_REGION`, else the profile's. It is read only where
 * neither the caller nor the host name tells it.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_REGION_UNKNOWN`
 */
export async function configuredRegion(profile: string | undefined, timeoutMs: number): Promise<string> {
  // To load the SDK's reader takes a third of the start of a program.
  const region = process.env.AWS_REGION ?? (await profileRegion(profile, timeoutMs))
  if (isRegion(region)) return region
  throw regionUnknown(
    `the host name does not tell it, and AWS_REGION or the profile says ${describe(region)}`,
  )
}

async function profileRegion(profile: string | undefined, timeoutMs: number): Promise<string> {
  const { loadConfig, NODE_REGION_CONFIG_OPTIONS, NODE_REGION_CONFIG_FILE_OPTIONS } = await sdkExports(
    import('@smithy/core/config'),
  )
  try {
    await awaitSharedFiles(timeoutMs)
    return await loadConfig(NODE_REGION_CONFIG_OPTIONS, {
      ...NODE_REGION_CONFIG_FILE_OPTIONS,
      profile,
      // As for credentials: else the SDK never sees a file rewritten.
      ignoreCache: true,
    })()
  } catch (cause) {
    if (cause instanceof AuroraIamError) throw cause
    throw regionUnknown('the host name does not tell it, and AWS_REGION and the profile do not set it', {
      cause,
    })
  }
}

/** Returns the error for a Region that is neither given nor configured. */
export function regionUnknown(why: string, details: { cause?: unknown } = {}): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_REGION_UNKNOWN',
    `region: ${why}. Give the Region of the database as \`region\`.`,
    { option: 'region', ...details },
  )
}
