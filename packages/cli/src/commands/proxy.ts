import type { Command } from 'commander'
import { addGatewayOptions } from '../options/gateway-flags.ts'
import type { ProxyFlags } from '../proxy/run-proxy.ts'
import { type CommandContext, describeCommand } from './command.ts'

/** Makes the command that keeps a gateway open for other programs. */
export function proxyCommand({ output, stopped }: CommandContext): Command {
  const command = describeCommand(
    'proxy',
    'aurora-iam proxy --host mydb.cluster-c0example0.eu-west-1.rds.amazonaws.com --user app --listen 127.0.0.1:3307',
  )
  return addGatewayOptions(command)
    .option(
      '--listen <host:port>',
      'TCP address to listen on (required, unless --socket or --config is given); other machines reach it with TLS alone',
    )
    .option('--socket <path>', 'Unix socket to listen on, in place of --listen (mode 0600)')
    .option(
      '--password-file <file>',
      'file with the password for clients (default: a one-time password, printed)',
    )
    .option('--tls-cert <file>', 'certificate chain for clients, in PEM; they must then use TLS')
    .option('--tls-key <file>', 'key of that certificate, in PEM')
    .option('--config <file>', 'JSON file with several endpoints, in place of the options above')
    .option(
      '--drain-ms <number>',
      'time for open sessions to end after SIGTERM, in milliseconds (default: 10000)',
    )
    .option('--health <host:port>', 'loopback address for /live, /ready and /metrics (default: none)')
    .option('--json', 'write the log as JSON lines to standard output')
    .action(async (flags: ProxyFlags) => {
      const { runProxy } = await import('../proxy/run-proxy.ts')
      await runProxy(flags, output, stopped())
    })
}
