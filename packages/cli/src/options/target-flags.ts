import type { Command } from 'commander'

/** The options that name a database, as commander returns them. */
export interface TargetFlags {
  readonly host?: string
  readonly port?: string
  readonly user?: string
  readonly database?: string
  readonly hostname?: string
  readonly dial?: string
  readonly region?: string
  readonly profile?: string
  readonly ca?: string
}

/** Adds the options that name a database to a command. */
export function addTargetOptions(
  command: Command,
  { host = 'endpoint of the database (default: that of DATABASE_URL)' }: { readonly host?: string } = {},
): Command {
  return command
    .option('--host <name>', host)
    .option('--user <name>', 'database user to log in as (default: that of DATABASE_URL)')
    .option('--port <number>', 'port of the database (default: that of DATABASE_URL, or 3306)')
    .option('--hostname <name>', 'endpoint to sign and to verify, if --host is another name for it')
    .option('--dial <host:port>', 'where to connect, if not there: the near end of a tunnel')
    .option(
      '--region <name>',
      'Region of the database (default: the one in its name, then that of the AWS configuration)',
    )
    .option('--profile <name>', 'profile of the AWS shared files (default: AWS_PROFILE)')
    .option(
      '--ca <file>',
      'certificate authorities in PEM (default: AURORA_IAM_CA, those that `aurora-iam ca` stored, those of Amazon for the Region)',
    )
}
