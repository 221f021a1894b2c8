import type { Command } from 'commander'
import { addTargetOptions, type TargetFlags } from '../options/target-flags.ts'
import { refuseUnused } from '../options/unused-flags.ts'
import { writeJson } from '../output/output.ts'
import { type CommandContext, describeCommand } from './command.ts'

type Flags = TargetFlags & { readonly watch?: string; readonly json?: boolean }

/** Makes the command that prints a token. */
export function tokenCommand({ output, stopped }: CommandContext): Command {
  const command = describeCommand(
    'token',
    'aurora-iam token --host mydb.cluster-c0example0.eu-west-1.rds.amazonaws.com --user app --watch /run/app/token',
  )
  return addTargetOptions(command)
    .option('--watch <file>', 'keep a fresh token in a file (mode 0600, replaced in one step) until stopped')
    .option('--json', 'print the token and when it expires as JSON')
    .action(async (flags: Flags) => {
      const [{ readTarget }, { inNames }, { adapterIam }] = await Promise.all([
        import('../options/target.ts'),
        import('../output/in-names.ts'),
        import('@aurora-iam/core/adapter'),
      ])
      if (flags.watch !== undefined)
        refuseUnused(
          flags,
          ['json'],
          'it has no effect beside --watch, whose file has the token alone. Leave it out.',
        )
      const { host, port, user, iam: options, names } = readTarget(flags)
      const iam = inNames(names, () => adapterIam(options))
      try {
        const target = inNames(names, () => iam.resolve({ host, port, user }))
        const { hostname, port: signedPort, username } = target
        const getToken = () => iam.token({ hostname, port: signedPort, username })
        if (flags.watch !== undefined) {
          const { watchToken } = await import('../token/watch-token.ts')
          return await watchToken({ path: flags.watch, getToken, output, signal: stopped() })
        }
        const { value, expiresAt } = await getToken()
        if (flags.json) writeJson(output, { token: value, expiresAt })
        else output.out(`${value}\n`)
      } finally {
        iam.close()
      }
    })
}
