import type { Command } from 'commander'
import type { Finding } from '../doctor/finding.ts'
import { exitStatuses } from '../exit-statuses.ts'
import { readNumber } from '../options/numbers.ts'
import { addTargetOptions, type TargetFlags } from '../options/target-flags.ts'
import { writeJson } from '../output/output.ts'
import { type CommandContext, describeCommand } from './command.ts'

interface DoctorFlags extends TargetFlags {
  readonly processes?: string
  readonly pool?: string
  readonly instanceClass?: string
  readonly json?: boolean
}

/** Makes the command that checks each step of a login. */
export function doctorCommand({ output, exit }: CommandContext): Command {
  const command = describeCommand(
    'doctor',
    'aurora-iam doctor --host mydb.cluster-c0example0.eu-west-1.rds.amazonaws.com --user app',
  )
  return addTargetOptions(command)
    .option('--processes <number>', 'processes of the fleet, for the check of max_connections')
    .option('--pool <number>', 'connections of each process, for the check of max_connections')
    .option(
      '--instance-class <name>',
      'class of the instances, such as db.t3.small, for the check of IAM support',
    )
    .option('--json', 'print the findings as JSON')
    .action(async (flags: DoctorFlags) => {
      const [{ readTarget }, { examine }, { formatFinding }] = await Promise.all([
        import('../options/target.ts'),
        import('../doctor/doctor.ts'),
        import('../doctor/finding.ts'),
      ])
      const fleet = {
        processes: readNumber(flags.processes, '--processes'),
        pool: readNumber(flags.pool, '--pool'),
        instanceClass: flags.instanceClass,
      }
      const findings: Finding[] = []
      for await (const finding of examine(readTarget(flags), fleet)) {
        findings.push(finding)
        if (!flags.json) output.out(formatFinding(finding, output))
      }
      const ok = findings.every(({ verdict }) => verdict !== 'fail')
      if (flags.json) writeJson(output, { ok, findings })
      if (!ok) exit(exitStatuses.FAILURE.status)
    })
}
