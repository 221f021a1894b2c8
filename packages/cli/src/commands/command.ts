import { Command } from 'commander'
import { type ExitStatus, exitStatusesOf } from '../exit-statuses.ts'
import type { CliOutput } from '../output/output.ts'
import { type CommandName, DESCRIPTIONS } from './descriptions.ts'

/** Links of a command to its surroundings. */
export interface CommandContext {
  readonly output: CliOutput
  /** Sets the exit status of the program, which is 0 otherwise. */
  exit(status: ExitStatus): void
  /** Sets the exit status to that of a command that this program ran. */
  exitAs(status: number): void
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
export function describeCommand(name: CommandName, example: string): Command {
  const statuses = exitStatusesOf(name).map(
    ([status, meaning]) => `  ${String(status).padEnd(4)} ${meaning.replaceAll('`', '')}`,
  )
  return new Command(name)
    .description(DESCRIPTIONS[name])
    .addHelpText('after', `\nExample:\n  ${example}\n\nExit status:\n${statuses.join('\n')}`)
}
