import { sdkExports, stsDateMiddleware } from '@aurora-iam/core/adapter'

/** Answer of AWS STS about the credentials and the time. */
export interface StsAnswer {
  /** ARN of the identity that the credentials belong to. */
  readonly arn?: string | undefined
  /** Milliseconds that the clock of this machine is ahead of that of STS; undefined if STS did not answer. */
  readonly clockAheadMs: number | undefined
  /** Error, if AWS STS rejects the credentials or did not answer. */
  readonly error?: Error
}

const TIMEOUT_MS = 5_000

/**
 * Asks AWS STS to whom the credentials of the AWS SDK's default chain belong. That needs no permission.
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
      // The first response counts: after it the SDK corrects its clock by that of STS.
      clockAheadMs ??= Date.now() - dateMs
    }),
  )
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  // The SDK ignores the signal until it has credentials.
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
