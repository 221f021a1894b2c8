import type { Command } from 'commander'
import type { ExecFlags } from '../exec/run-exec.ts'
import { addGatewayOptions } from '../options/gateway-flags.ts'
import { type CommandContext, describeCommand } from './command.ts'

/** Makes the command that runs another one with a database that needs no token. */
export function execCommand({ output, exitAs }: CommandContext): Command {
  const command = describeCommand(
    'exec',
    'aurora-iam exec --host mydb.cluster-c0example0.eu-west-1.rds.amazonaws.com --user app --database shop -- ' +
      'npx prisma migrate deploy',
  )
  return addGatewayOptions(command)
    .option('--database <name>', 'database to begin in (default: that of DATABASE_URL)')
    .option(
      '--env <name=template>',
      'set one more variable, from {url}, {host}, {port}, {socket}, {user}, {password} and {database}; may be repeated',
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .argument('<command...>', 'the command and its arguments, after --')
    .passThroughOptions()
    .action(async (words: [string, ...string[]], flags: ExecFlags) => {
      const { runExec } = await import('../exec/run-exec.ts')
      exitAs(await runExec(flags, words, output))
    })
}
