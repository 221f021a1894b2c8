import type { AwsCredentialIdentityProvider } from '@smithy/types'
import { sdkExports } from '../util/sdk-exports.ts'
import { awaitSharedFiles } from '../util/shared-files.ts'
import { credentialsUnavailable, safeReason } from './provider-failure.ts'
import { stsDateMiddleware } from './sts-clock.ts'
import { stsRegion } from './sts-region.ts'

// Begins the line by which the SDK logs that a provider has no credentials and that the next one is called.
const NO_CREDENTIALS = '@smithy/property-provider -> '

/** Options for the AWS SDK's default chain. */
export interface ChainOptions {
  readonly profile: string | undefined
  /** Longest read of the shared files, in milliseconds. */
  readonly timeoutMs: number
  /** Region of the database. */
  readonly region: string
  /** Called with the time by AWS STS, in epoch milliseconds, whenever STS answers. */
  readonly onStsDate: (dateMs: number) => void
}

/**
 * Returns the AWS SDK's default chain. Where no provider of it has credentials, the SDK reports no more than that; here
 * the error has the reason of each provider, such as a profile that refers to itself or a command that failed.
 *
 * The Region goes by `parentClientConfig`: `clientConfig.region` would replace the Region of SSO as well. In
 * `@aws-sdk/credential-provider-sso` 3.973.28 its client has `region: clientConfig?.region ?? ssoRegion`.
 */
export async function defaultChain({
  profile,
  timeoutMs,
  region,
  onStsDate,
}: ChainOptions): Promise<AwsCredentialIdentityProvider> {
  const { defaultProvider } = await sdkExports(import('@aws-sdk/credential-provider-node'))
  const reasons = new Set<string>()
  const forSts = stsRegion(region)
  const chain = defaultProvider({
    // Without it the SDK reads the shared files once per process, and misses later changes.
    ignoreCache: true,
    logger: {
      ...silent,
      debug: (line: unknown) => note(reasons, String(line)),
      // biome-ignore lint/suspicious/noConsole: the SDK's own warnings, which go there without a logger as well
      warn: console.warn,
    },
    clientPlugins: [stsDateMiddleware(onStsDate)],
    ...(forSts === undefined ? {} : { parentClientConfig: { region: forSts } }),
    ...(profile === undefined ? {} : { profile }),
  })
  return async (properties) => {
    reasons.clear()
    await awaitSharedFiles(timeoutMs)
    try {
      return await chain(properties)
    } catch (error) {
      throw credentialsUnavailable(error, isFromNone(error) ? [...reasons] : [])
    }
  }
}

const ignore = (): void => {}
const silent = { info: ignore, error: ignore, trace: ignore }

function isFromNone(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Could not load credentials')
}

function note(reasons: Set<string>, line: string): void {
  if (!line.startsWith(NO_CREDENTIALS)) return
  const reason = safeReason(new Error(line.slice(NO_CREDENTIALS.length)))
  // The reasons of providers that do not apply here are left out, and what the SDK looks up on its way.
  if (reason && !/skipping|not set in env, checking/i.test(reason)) reasons.add(reason.replace(/\.$/, ''))
}
