import { Argument, type Command } from 'commander'
import { type CommandContext, describeCommand } from './command.ts'

/** The name by which the scripts ask for suggestions. */
const SUGGEST = 'complete'

/** Makes the command that prints the completion script of a shell. */
export function completionCommand(_context: CommandContext): Command {
  return describeCommand('completion', 'Print the completion script of a shell', {
    example: 'source <(aurora-iam completion bash)',
  })
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish', 'powershell']))
    .action(async (shell: string) => {
      const { default: tab } = await import('@bomb.sh/tab')
      tab.setup('aurora-iam', 'aurora-iam', shell)
    })
}

/** Returns whether the arguments are those with which a completion script asks for suggestions. */
export function isSuggestionRequest(args: readonly string[]): boolean {
  return args[0] === SUGGEST
}

/** Adds the hidden command that answers completion scripts. */
export async function addSuggestions(program: Command): Promise<void> {
  const { default: tab } = await import('@bomb.sh/tab/commander')
  // The command for scripts is ours: the library's own has another name here, and is not used.
  tab(program, { completionCommandName: 'completion-script' })
}
