import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import type { CommandContext } from './commands/command.ts'
import { type CommandName, DESCRIPTIONS } from './commands/descriptions.ts'

const HELP_WIDTH = 120

/**
 * Makes the program. It writes to `context.output` and throws in place of ending the process.
 *
 * @param isNeeded - Decides whose options are loaded. The help of the program shows the others by their description.
 */
export async function createProgram(
  context: CommandContext,
  isNeeded: (name: CommandName) => boolean,
): Promise<Command> {
  const { output } = context
  const program = new Command('aurora-iam')
    .description('IAM logins to Amazon Aurora MySQL for every client')
    .version(readVersion(), '--version', 'print the version')
    .helpCommand(false)
    // Options behind `exec --` belong to the command that is run.
    .enablePositionalOptions()
    .showSuggestionAfterError()
  for (const [key, description] of Object.entries(DESCRIPTIONS)) {
    const name = key as CommandName
    if (!isNeeded(name)) {
      program.command(name).description(description)
      continue
    }
    const { LOADERS } = await import('./commands/loaders.ts')
    program.addCommand((await LOADERS[name]())(context))
  }
  for (const command of [program, ...program.commands]) {
    command
      .helpOption('-h, --help', 'print this help')
      .exitOverride()
      .configureOutput({
        writeOut: (text) => output.out(text),
        writeErr: (text) => output.error(text),
        outputError: () => {},
        getOutHelpWidth: () => HELP_WIDTH,
        getErrHelpWidth: () => HELP_WIDTH,
      })
  }
  return program
}

function readVersion(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
}
