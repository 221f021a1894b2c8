import type { AwsCredentialIdentityProvider } from '@smithy/types'
import { credentialsUnavailable, safeReason } from './provider-failure.ts'
import { stsDateMiddleware } from './sts-clock.ts'

// How the SDK's logger is told that a source gave nothing and that the next one is asked.
const GAVE_NOTHING = /^@smithy\/property-provider -> /

/**
 * The AWS SDK's default chain. When none of its sources has credentials, the SDK says no more than that, and a profile
 * that refers to itself or a command that fails goes unmentioned: here the error has what each source said.
 *
 * @param onStsDate - told what time it is by AWS STS, in epoch milliseconds, whenever STS is asked
 */
export async function defaultChain(
  profile: string | undefined,
  onStsDate: (dateMs: number) => void,
): Promise<AwsCredentialIdentityProvider> {
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers')
  const said = new Set<string>()
  const chain = fromNodeProviderChain({
    // Without ignoreCache the SDK reads the shared files once per process and never sees them rewritten.
    ignoreCache: true,
    logger: {
      ...silent,
      debug: (line: unknown) => note(said, line),
      // biome-ignore lint/suspicious/noConsole: the SDK's own warnings, which go there without a logger as well
      warn: (...words: unknown[]) => console.warn(...words),
    },
    clientPlugins: [stsDateMiddleware(onStsDate)],
    ...(profile === undefined ? {} : { profile }),
  })
  return async (properties) => {
    said.clear()
    try {
      return await chain(properties)
    } catch (error) {
      throw credentialsUnavailable(error, isFromNone(error) ? [...said] : [])
    }
  }
}

const ignore = (): void => {}
const silent = { info: ignore, error: ignore, trace: ignore }

function isFromNone(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Could not load credentials')
}

function note(said: Set<string>, line: unknown): void {
  if (typeof line !== 'string' || !GAVE_NOTHING.test(line)) return
  const saying = safeReason(new Error(line.replace(GAVE_NOTHING, '')))
  // Not of a source that does not apply here at all.
  if (saying && !/skipping/i.test(saying)) said.add(saying.replace(/\.$/, ''))
}
