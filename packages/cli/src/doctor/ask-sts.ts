import { sdkExports, stsDateMiddleware } from '@aurora-iam/core/adapter'

/** Answer of AWS STS about these credentials and the time. */
export interface StsAnswer {
  /** Who the credentials are. */
  readonly arn?: string | undefined
  /** Milliseconds that the clock of this machine is ahead of that of STS; undefined if STS did not answer. */
  readonly clockAheadMs: number | undefined
  /** Why STS does not know, or did not answer. */
  readonly error?: Error
}

const TIMEOUT_MS = 5_000

/**
 * Asks who the credentials of the AWS SDK's default chain are. Any principal may ask that.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export async function askSts(options: {
  readonly region: string | undefined
  readonly profile: string | undefined
}): Promise<StsAnswer> {
  const { GetCallerIdentityCommand, STSClient } = await sdkExports(import('@aws-sdk/client-sts'))
  const { region, profile } = options
  const client = new STSClient({ ...(region && { region }), ...(profile && { profile }), maxAttempts: 2 })
  let clockAheadMs: number | undefined
  client.middlewareStack.use(
    stsDateMiddleware((dateMs) => {
      // The first answer tells: from then on the SDK signs by the clock of STS.
      clockAheadMs ??= Date.now() - dateMs
    }),
  )
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  // The SDK heeds the signal once it has credentials.
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
  try {
    const answer = client.send(new GetCallerIdentityCommand(), { abortSignal: signal })
    const { Arn: arn } = await Promise.race([answer, late])
    return { arn, clockAheadMs }
  } catch (error) {
    return { clockAheadMs, error: error as Error }
  } finally {
    client.destroy()
  }
}
