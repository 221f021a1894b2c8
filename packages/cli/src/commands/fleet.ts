import type { Command } from 'commander'
import type { FleetFlags } from '../fleet/run-fleet.ts'
import { type CommandContext, describeCommand } from './command.ts'

/** Makes the command that shows a fleet at its rate limit. */
export function fleetCommand({ output, stopped }: CommandContext): Command {
  return describeCommand(
    'fleet',
    'aurora-iam fleet --redis redis://127.0.0.1:6379 mydb.cluster-abc.eu-west-1.rds.amazonaws.com:3306 --watch',
  )
    .argument('[key]', 'key of the limiter: the endpoint as host:port (default: default)')
    .option('--redis <url>', 'Redis of the fleet (default: AURORA_IAM_REDIS)')
    .option('--prefix <text>', 'prefix of the keys, as redisStore has it')
    .option('--watch', 'show it again each second, until SIGINT')
    .option('--json', 'print the state as JSON, one line each with --watch')
    .action(async (key: string | undefined, flags: FleetFlags) => {
      const { runFleet } = await import('../fleet/run-fleet.ts')
      await runFleet(key, flags, { output, stopped })
    })
}
