import type { Command } from 'commander'
import { addTargetOptions } from '../options/target-flags.ts'
import type { PlanFlags } from '../plan/read-fleet.ts'
import { type CommandContext, describeCommand } from './command.ts'

/** Makes the command that simulates how a fleet gets its connections. */
export function planCommand({ output }: CommandContext): Command {
  const command = describeCommand(
    'plan',
    'aurora-iam plan --processes 200 --pool 10 --limit 20 --max-connections 2500 --svg plan.svg',
  )
  return addTargetOptions(command, {
    host: 'endpoint of a database to ask for its facts (default: none is asked)',
  })
    .option('--processes <number>', 'processes of the fleet')
    .option('--pool <number>', 'connections of each process (default: 10)')
    .option(
      '--limit <number>',
      'logins that the database accepts per second (default: that of the class, or 20)',
    )
    .option('--rolling <share>', 'share of the processes that a deploy replaces at a time (default: 25%)')
    .option(
      '--max-connections <number>',
      'max_connections of the database (default: that of --host or of the class)',
    )
    .option('--login-ms <number>', 'mean time of a login, in milliseconds (default: that of --host, or 30)')
    .option(
      '--failover-ms <number>',
      'time without logins after a failover, in milliseconds (default: 30000)',
    )
    .option('--instance-class <name>', 'class of the instances, such as db.r6g.large')
    .option('--seed <number>', 'seed of the random numbers (default: 1)')
    .option('--svg <file>', 'write a chart of the cold start')
    .option('--json', 'print the outcomes as JSON')
    .action(async (flags: PlanFlags) => {
      const { runPlan } = await import('../plan/run-plan.ts')
      await runPlan(flags, output)
    })
}
