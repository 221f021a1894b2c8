import { Argument, type Command } from 'commander'
import { type CommandContext, describeCommand } from './command.ts'

/** Makes the command that prints the completion script of a shell. */
export function completionCommand(_context: CommandContext): Command {
  return describeCommand('completion', 'source <(aurora-iam completion bash)')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish', 'powershell']))
    .action(async (shell: string) => {
      const { default: tab } = await import('@bomb.sh/tab')
      tab.setup('aurora-iam', 'aurora-iam', shell)
    })
}
