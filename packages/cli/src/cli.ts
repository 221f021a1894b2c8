import { AuroraIamError } from '@aurora-iam/core'
import { examine } from './doctor.ts'
import { DOCTOR_USAGE, parseDoctorOptions } from './doctor-options.ts'
import { formatFinding } from './finding.ts'
import { UsageError } from './usage-error.ts'

const USAGE = `aurora-iam <command> [options]

Commands:
  doctor   looks for what keeps an IAM login from working

aurora-iam <command> --help tells the options.
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
    if (command === undefined || command === '--help') return show(USAGE, output)
    throw new UsageError(`There is no command ${JSON.stringify(command)}.\n\n${USAGE}`)
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof AuroraIamError)) throw error
    output.error(`aurora-iam: ${error.message}\n`)
    return 2
  }
}

/** The program. */
export async function main(): Promise<void> {
  process.exitCode = await runCli(process.argv.slice(2), {
    out: (text) => void process.stdout.write(text),
    error: (text) => void process.stderr.write(text),
  })
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

function show(text: string, output: CliOutput): number {
  output.out(text)
  return 0
}
