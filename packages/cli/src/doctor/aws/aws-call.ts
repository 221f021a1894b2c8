import { ClientMissing } from './optional-clients.ts'

/** Longest time for one question to the AWS API, in milliseconds. */
const TIMEOUT_MS = 5_000

/** Settings of a client of the AWS API. */
export interface AwsClientOptions {
  readonly region?: string
  readonly profile?: string
  readonly maxAttempts: number
}

/** Returns the settings of a client that asks once: a check that cannot run is reported, and not waited for. */
export function clientOptions(region: string | undefined, profile: string | undefined): AwsClientOptions {
  return {
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
    maxAttempts: 1,
  }
}

/** Returns the options of one question, which ends it after a time limit. */
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
