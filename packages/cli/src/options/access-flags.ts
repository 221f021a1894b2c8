import type { Command } from 'commander'

/** The options of commands that write permissions and users, as commander returns them. */
export interface AccessFlags {
  readonly host?: string
  readonly user?: string
  readonly region?: string
  readonly account?: string
  readonly resourceId?: string
  readonly database?: string
  readonly proxyMode?: string
  readonly json?: boolean
}

/** Adds the options of commands that write permissions and users. */
export function addAccessOptions(command: Command): Command {
  return command
    .option('--host <name>', 'endpoint of the database (default: that of DATABASE_URL)')
    .option('--user <name>', 'database user (default: that of DATABASE_URL)')
    .option('--region <name>', 'Region of the database (default: the one in its name)')
    .option('--account <number>', 'AWS account of the database (default: a placeholder)')
    .option('--resource-id <id>', 'cluster-…, db-… or prx-… as AWS shows it (default: a placeholder)')
    .option('--proxy-mode <mode>', 'IAM mode of an RDS Proxy: standard or end-to-end (default: standard)')
    .option('--json', 'print JSON')
}
