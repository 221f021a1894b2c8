import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Address, AuroraIamOptions } from '@aurora-iam/core'
import { UsageError } from './usage-error.ts'

export const DOCTOR_USAGE = `aurora-iam doctor --host <name> --user <name> [options]

Logs in once as a program would, and says of each step on the way whether it works: the name, the AWS credentials, the
clock, TLS, the token, the login. Nothing is changed, and nothing secret is shown.

  --host <name>         endpoint of the database
  --user <name>         database user to log in as
  --port <number>       port of the database (default: 3306)
  --hostname <name>     endpoint to sign and to verify, if --host is another name for it
  --dial <host:port>    where to connect, if not there: the near end of a tunnel
  --region <name>       Region of the database (default: the one in its name, then that of the AWS configuration)
  --profile <name>      profile of the AWS shared files (default: AWS_PROFILE)
  --ca <file>           certificate authorities in PEM (default: those of Amazon for the Region)
  -h, --help            this text

Exit status: 0 if the login works, 1 if something is wrong, 2 for arguments that make no sense.
`

/** What to look at. */
export interface DoctorOptions {
  readonly host: string
  readonly port: string
  readonly user: string
  readonly iam: AuroraIamOptions
}

/**
 * @returns undefined if only help is wanted
 * @throws {@link UsageError}
 */
export function parseDoctorOptions(args: readonly string[]): DoctorOptions | undefined {
  const { help, host, user, port = '3306', hostname, dial, region, profile, ca } = parse(args)
  if (help) return undefined
  if (host === undefined || user === undefined) {
    throw new UsageError(`--${host === undefined ? 'host' : 'user'} is missing.\n\n${DOCTOR_USAGE}`)
  }
  const iam = {
    hostname,
    region,
    profile,
    dial: dial === undefined ? dial : readAddress(dial),
    ca: ca === undefined ? ca : readCertificates(ca),
  }
  return { host, port, user, iam: given(iam) }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        host: text,
        user: text,
        port: text,
        hostname: text,
        dial: text,
        region: text,
        profile: text,
        ca: text,
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${DOCTOR_USAGE}`)
  }
}

/** Without the options that were not given: they have defaults. */
function given(options: AuroraIamOptions): AuroraIamOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function readAddress(text: string): Address {
  const [, host, port] = /^(.+):(\d+)$/.exec(text) ?? []
  if (host === undefined || port === undefined)
    throw new UsageError('--dial: expected a host and a port, as in 127.0.0.1:13306')
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
}

function readCertificates(path: string): string {
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`--ca: ${(error as Error).message}`)
  }
  // Checked here, where nothing of the file is repeated: it may be the wrong one, with a secret in it.
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new UsageError(`--ca: ${path} has no certificate in PEM`)
  return pem
}
