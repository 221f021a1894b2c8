import type { Command } from 'commander'

/** Name of the command by which completion scripts ask for suggestions. */
export const SUGGEST = 'complete'

/** Adds the hidden command that answers completion scripts. */
export async function addSuggestions(program: Command): Promise<void> {
  const { default: tab } = await import('@bomb.sh/tab/commander')
  // The command for scripts is ours: the library's own has another name here, and is not used.
  tab(program, { completionCommandName: 'completion-script' })
}
