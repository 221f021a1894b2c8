import { CommanderError } from 'commander'
import type { CommandContext } from './commands/command.ts'
import { addSuggestions, SUGGEST } from './commands/suggestions.ts'
import { type ExitStatus, exitStatuses } from './exit-statuses.ts'
import { CommandError } from './options/command-error.ts'
import { UsageError } from './options/usage-error.ts'
import { inOptionWords } from './output/option-words.ts'
import type { CliOutput } from './output/output.ts'
import { readStandardInput, stopSignal } from './process-links.ts'
import { createProgram } from './program.ts'

/** Codes of core for options that cannot be used. Its other codes are failures at run time. */
const CONFIGURATION: ReadonlySet<unknown> = new Set([
  'ERR_AURORA_IAM_UNKNOWN_OPTION',
  'ERR_AURORA_IAM_INVALID_OPTION',
  'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
  'ERR_AURORA_IAM_HOST_NOT_SIGNABLE',
  'ERR_AURORA_IAM_REGION_UNKNOWN',
])

const { SUCCESS, FAILURE, USAGE } = exitStatuses

/** Links of a command to its process; tests replace them. */
type ProcessLinks = Pick<CommandContext, 'stopped' | 'readInput'>

/**
 * Runs one command.
 *
 * @returns the exit status, one of {@link exitStatuses} or that of the command which `exec` ran
 */
export async function runCli(
  args: readonly string[],
  output: CliOutput,
  { stopped = stopSignal, readInput = readStandardInput }: Partial<ProcessLinks> = {},
): Promise<number> {
  let status: number = SUCCESS.status
  const exitAs = (given: number): void => {
    status = given
  }
  const isSuggestions = args[0] === SUGGEST
  const context = { output, exit: exitAs, exitAs, stopped, readInput }
  const program = await createProgram(context, (name) => isSuggestions || name === args[0])
  try {
    if (isSuggestions) await addSuggestions(program)
    if (args.length === 0) program.outputHelp()
    else await program.parseAsync(args, { from: 'user' })
    return status
  } catch (error) {
    const command = program.commands.find((known) => known.name() === args[0])
    return report(error as Error, output, command?.name())
  }
}

/** Runs the program and ends the process when everything is written. */
export async function main(): Promise<void> {
  // AWS's own switch for a warning of eight lines about versions of Node, which is not part of the result.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const { stdout, stderr } = process
  for (const stream of [stdout, stderr]) stream.on('error', ignoreBrokenPipe)
  const status = await runCli(process.argv.slice(2), {
    out: (text) => void stdout.write(text),
    error: (text) => void stderr.write(text),
    isColourful: stdout.isTTY && stdout.hasColors(),
    isInteractive: stderr.isTTY,
  })
  for (const stream of [stdout, stderr]) await new Promise<unknown>((resolve) => stream.write('', resolve))
  // An unresponsive credential provider would keep the process alive.
  process.exit(status)
}

/** Writes what failed. Errors that are not about the arguments or the set-up are bugs, and keep their stack. */
function report(
  error: Error & { code?: unknown },
  output: CliOutput,
  command: string | undefined,
): ExitStatus {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return SUCCESS.status
    const problem = error.message
      .replace(/^error: /, '')
      .replace(/\.$/, '')
      .replaceAll('\n', ' ')
    output.error(
      `aurora-iam: ${problem}. See ${['aurora-iam', command, '--help'].filter(Boolean).join(' ')}\n`,
    )
    return USAGE.status
  }
  const isSetUp = error instanceof UsageError || CONFIGURATION.has(error.code)
  if (
    !isSetUp &&
    !(error instanceof CommandError) &&
    !/^ERR_(AURORA_IAM|LOCAL_AURORA)_/.test(String(error.code))
  )
    throw error
  output.error(`aurora-iam: ${inOptionWords(error.message)}\n`)
  return isSetUp ? USAGE.status : FAILURE.status
}

/** Ignores a reader that closed its end, as `head` does. The exit status stays the same. */
function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
