import type { Command } from 'commander'
import type { LocalFlags } from '../local/run-local.ts'
import { type CommandContext, describeCommand } from './command.ts'

/** Makes the command that runs a Local Aurora. */
export function localCommand({ output, stopped }: CommandContext): Command {
  return describeCommand('local', 'aurora-iam local --user app --throttle 20')
    .option('--port <number>', 'port to listen on (default: any that is free)')
    .option(
      '--user <name>',
      'database user who may log in; may be repeated (default: app)',
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option('--database <name>', 'database that is there from the start (default: app)')
    .option('--backend <url>', 'mysql:// URL of a database that runs already (default: a private MariaDB)')
    .option('--throttle <number>', 'logins per second that are accepted (default: 20)')
    .option('--json', 'print its address and each event as JSON lines')
    .action(async (flags: LocalFlags) => {
      const { runLocal } = await import('../local/run-local.ts')
      await runLocal(flags, output, stopped())
    })
}
