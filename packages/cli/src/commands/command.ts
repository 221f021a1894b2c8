import { Command } from 'commander'
import type { CliOutput } from '../output/output.ts'
import { type CommandName, DESCRIPTIONS } from './descriptions.ts'

/** Links of a command to its surroundings. */
export interface CommandContext {
  readonly output: CliOutput
  /** Takes the exit status, if it is not 0. */
  exit(status: number): void
  /**
   * Returns a signal that aborts when the process is asked to end (SIGINT, SIGTERM). From the first call on those
   * signals do not end the process.
   */
  stopped(): AbortSignal
  /**
   * Reads standard input to its end.
   *
   * @throws {@link UsageError} for more than `maxCharacters`
   */
  readInput(maxCharacters: number): Promise<string>
}

/** One command, ready to be added to the program. */
export type MakeCommand = (context: CommandContext) => Command

/** Starts a command whose help ends with one example and its exit statuses. */
export function describeCommand(
  name: CommandName,
  help: { readonly example: string; readonly exit?: string },
): Command {
  const exit = help.exit ?? '0 on success, 1 on failure, 2 for arguments that cannot be used'
  return new Command(name)
    .description(DESCRIPTIONS[name])
    .addHelpText('after', `\nExample:\n  ${help.example}\n\nExit status: ${exit}.`)
}
