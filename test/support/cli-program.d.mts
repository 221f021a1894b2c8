import type { LocalAurora } from '@aurora-iam/local'

/** The file that runs `aurora-iam`. */
export const programPath: string

/** Builds `aurora-iam`: Node 20 runs no TypeScript. */
export function buildProgram(): Promise<void>

/** Returns the options that name the database of a Local Aurora, for every command with a target. */
export function targetOptions(
  aurora: Pick<LocalAurora, 'host' | 'port' | 'hostname'>,
  caFile: string,
): string[]

/** Returns the variables by which the AWS SDK of another process gets the credentials of a Local Aurora. */
export function credentialsEnvironment(credentials: LocalAurora['credentials']): {
  AWS_ACCESS_KEY_ID: string
  AWS_SECRET_ACCESS_KEY: string
  AWS_SESSION_TOKEN: string | undefined
}
