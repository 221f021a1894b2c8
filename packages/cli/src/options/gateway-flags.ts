import type { Command } from 'commander'
import { addTargetOptions, type TargetFlags } from './target-flags.ts'

/** The options of commands that start a gateway, as commander returns them. */
export interface GatewayFlags extends TargetFlags {
  readonly redis?: string
  readonly limit?: string
  readonly maxWaitMs?: string
  readonly maxConnections?: string
  readonly allowLocalInfile?: boolean
}

/** Adds the options of commands that start a gateway. */
export function addGatewayOptions(command: Command): Command {
  return addTargetOptions(command)
    .option('--limit <number>', 'new connections to the database per second (default: 20)')
    .option(
      '--max-wait-ms <number>',
      'longest wait of a client for its permit, in milliseconds (default: 30000)',
    )
    .option(
      '--redis <url>',
      'Redis or Valkey that shares the limit with a fleet (default: AURORA_IAM_REDIS; prefer it to hide a password)',
    )
    .option(
      '--max-connections <number>',
      'connections at one time; one more client gets 1040 (default: 1000)',
    )
    .option(
      '--allow-local-infile',
      'relay LOAD DATA LOCAL INFILE: the database can then ask the client for files',
    )
}
