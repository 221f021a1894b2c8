import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { cdkCommand, policyCommand, sqlCommand, terraformCommand } from './commands/access.ts'
import { caCommand } from './commands/ca.ts'
import type { CommandContext, MakeCommand } from './commands/command.ts'
import { completionCommand } from './commands/completion.ts'
import { doctorCommand } from './commands/doctor.ts'
import { execCommand } from './commands/exec.ts'
import { explainCommand } from './commands/explain.ts'
import { localCommand } from './commands/local.ts'
import { planCommand } from './commands/plan.ts'
import { proxyCommand } from './commands/proxy.ts'
import { tokenCommand } from './commands/token.ts'

/** The commands, in the order of the help. What a command needs is loaded when it runs. */
const COMMANDS: readonly MakeCommand[] = [
  execCommand,
  proxyCommand,
  tokenCommand,
  explainCommand,
  doctorCommand,
  policyCommand,
  sqlCommand,
  terraformCommand,
  cdkCommand,
  caCommand,
  localCommand,
  planCommand,
  completionCommand,
]

const HELP_WIDTH = 120

/** Makes the program with all its commands. It writes to `context.output` and throws in place of ending the process. */
export function createProgram(context: CommandContext): Command {
  const { output } = context
  const program = new Command('aurora-iam')
    .description('IAM logins to Amazon Aurora MySQL for every client')
    .version(readVersion(), '--version', 'print the version')
    .helpCommand(false)
    // So that the options of the command behind `exec --` are its own.
    .enablePositionalOptions()
    .showSuggestionAfterError()
  for (const make of COMMANDS) program.addCommand(make(context))
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
