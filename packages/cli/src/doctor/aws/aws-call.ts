import { ClientMissing } from './optional-clients.ts'

/** Time limit of one call of the AWS API, in milliseconds. */
const TIMEOUT_MS = 5_000

/** Settings of a client of the AWS API. */
export interface AwsClientOptions {
  readonly region?: string
  readonly profile?: string
  readonly maxAttempts: number
}

/** Returns the settings of a client that does not retry: a check that cannot run is reported at once. */
export function clientOptions(region: string | undefined, profile: string | undefined): AwsClientOptions {
  return {
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
    maxAttempts: 1,
  }
}

/** Returns the options that end one call after its time limit. */
export function withinTime(): { readonly abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(TIMEOUT_MS) }
}

/** Returns why a check could not run, in a line. */
export function whyNotAsked(error: Error, permission: string): string {
  if (error instanceof ClientMissing) return error.message
  if (error.name.startsWith('AccessDenied'))
    return `the AWS API denied it. It needs the permission ${permission}`
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode
  const [line] = error.message.split('\n', 1)
  const reason = line || error.name
  return `the AWS API was not asked (${status === undefined ? reason : `HTTP ${status}: ${reason}`})`
}
