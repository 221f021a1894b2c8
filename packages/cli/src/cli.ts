import { readFileSync } from 'node:fs'
import { AuroraIamError } from '@aurora-iam/core'
import { examine } from './doctor.ts'
import { DOCTOR_USAGE, parseDoctorOptions } from './doctor-options.ts'
import { formatFinding } from './finding.ts'
import { UsageError } from './usage-error.ts'

const USAGE = `aurora-iam <command> [options]

Commands:
  doctor   looks for what keeps an IAM login from working

aurora-iam <command> --help tells the options, aurora-iam --version the version.
`

/** Where a command writes its words. */
export interface CliOutput {
  out(text: string): void
  error(text: string): void
}

/** Runs one command; returns the exit status: 1 if the doctor found something wrong, 2 for arguments that make no sense. */
export async function runCli(args: readonly string[], output: CliOutput): Promise<number> {
  try {
    const [command, ...rest] = args
    if (command === 'doctor') return await runDoctor(rest, output)
    if (command === undefined || command === '--help' || command === '-h') return show(USAGE, output)
    if (command === '--version') return show(`${readVersion()}\n`, output)
    throw new UsageError(`There is no command ${JSON.stringify(command)}.\n\n${USAGE}`)
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof AuroraIamError)) throw error
    output.error(`aurora-iam: ${error.message}\n`)
    return 2
  }
}

/** The program: ends when all is said. */
export async function main(): Promise<void> {
  // AWS's own switch for one warning, of eight lines, about versions of Node: no part of what is to be read here.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const { stdout, stderr } = process
  for (const stream of [stdout, stderr]) stream.on('error', ignoreBrokenPipe)
  const status = await runCli(process.argv.slice(2), {
    out: (text) => void stdout.write(text),
    error: (text) => void stderr.write(text),
  })
  for (const stream of [stdout, stderr]) await new Promise<unknown>((resolve) => stream.write('', resolve))
  // A credential source that hangs would keep the process from ending by itself.
  process.exit(status)
}

/** A reader that has gone away, as `head` does, changes nothing about the exit status, which tells of all that is found. */
function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

async function runDoctor(args: readonly string[], output: CliOutput): Promise<number> {
  const options = parseDoctorOptions(args)
  if (!options) return show(DOCTOR_USAGE, output)
  let isWell = true
  for await (const finding of examine(options)) {
    output.out(formatFinding(finding))
    if (finding.verdict === 'wrong') isWell = false
  }
  return isWell ? 0 : 1
}

function readVersion(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
}

function show(text: string, output: CliOutput): number {
  output.out(text)
  return 0
}
