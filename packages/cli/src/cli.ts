import { CommanderError } from 'commander'
import { UsageError } from './options/usage-error.ts'
import type { CliOutput } from './output/output.ts'
import { createProgram } from './program.ts'

/**
 * Runs one command.
 *
 * @returns the exit status: that of the command, or 2 for arguments that cannot be used
 */
export async function runCli(args: readonly string[], output: CliOutput): Promise<number> {
  let status = 0
  const exit = (given: number): void => {
    status = given
  }
  const program = createProgram({ output, exit })
  try {
    if (args.length === 0) program.outputHelp()
    else await program.parseAsync(args, { from: 'user' })
    return status
  } catch (error) {
    return report(error as Error, output)
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
function report(error: Error & { code?: unknown }, output: CliOutput): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    output.error(`aurora-iam: ${error.message.replace(/^error: /, '')}. See aurora-iam --help\n`)
    return 2
  }
  const isOurs = error instanceof UsageError || String(error.code).startsWith('ERR_AURORA_IAM_')
  if (!isOurs) throw error
  output.error(`aurora-iam: ${error.message}\n`)
  return 2
}

/** A reader that closed its end, as `head` does, changes nothing about the exit status. */
function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
