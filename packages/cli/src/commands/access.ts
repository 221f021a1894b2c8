import type { Command } from 'commander'
import type { AccessTarget } from '../access/access-target.ts'
import { exitStatuses } from '../exit-statuses.ts'
import { type AccessFlags, addAccessOptions } from '../options/access-flags.ts'
import { refuseUnused } from '../options/unused-flags.ts'
import { UsageError } from '../options/usage-error.ts'
import { writeJson } from '../output/output.ts'
import { type CommandContext, describeCommand } from './command.ts'

const HOST = '--host mydb.cluster-c0example0.eu-west-1.rds.amazonaws.com --user app'

/** Makes the command that writes an identity policy, or checks policies. */
export function policyCommand(context: CommandContext): Command {
  const command = describeCommand(
    'policy',
    `aurora-iam policy ${HOST} --account 123456789012 --resource-id cluster-ABCDEFGHIJKL`,
  )
  const collect = (text: string, before: readonly string[] = []) => [...before, text]
  return addAccessOptions(command)
    .option('--check <file...>', 'evaluate identity policies in place of writing one')
    .option('--boundary <file>', 'with --check: the permission boundary')
    .option('--scp <file>', 'with --check: a service control policy that applies; may be repeated', collect)
    .action(async (flags: AccessFlags & CheckFlags) => {
      const { output, exit } = context
      const [{ readAccessTarget }, { policyFor, proxyNotes, resourceArn }] = await Promise.all([
        import('../access/access-target.ts'),
        import('../access/policy.ts'),
      ])
      if (flags.check === undefined)
        refuseUnused(
          flags,
          ['boundary', 'scp'],
          'it bounds the policies of --check. Give --check <file>, or leave it out.',
        )
      const target = readAccessTarget(flags, { allowsAnyUser: flags.check === undefined })
      if (flags.check === undefined) {
        writeNotes([...target.notes, ...proxyNotes(target)], context)
        return writeJson(output, policyFor(target))
      }
      // A policy with `*` allows a placeholder, and one with a name denies it. Neither is a result.
      for (const name of ['account', 'resourceId'] as const) {
        if (flags[name] === undefined)
          throw new UsageError(
            `--${name === 'account' ? 'account' : 'resource-id'} is missing, which --check needs.`,
          )
      }
      const { checkPolicies } = await import('../access/check-policy.ts')
      const { check: identity, boundary, scp = [] } = flags
      const files = { identity, boundary: boundary === undefined ? [] : [boundary], scp }
      const resource = resourceArn(target)
      const result = checkPolicies(files, resource)
      if (flags.json) writeJson(output, { resource, ...result })
      else {
        output.out(`${result.allowed ? 'allowed' : 'denied'}: rds-db:connect on ${resource}\n`)
        for (const { role, file, decision, statement } of result.because) {
          const by =
            statement && ` by statement ${statement.index}${statement.sid ? ` (${statement.sid})` : ''}`
          output.out(`  ${decision}${by ?? ''}: ${role} policy ${file}\n`)
        }
      }
      if (!result.allowed) exit(exitStatuses.FAILURE.status)
    })
}

interface CheckFlags {
  readonly check?: readonly string[]
  readonly boundary?: string
  readonly scp?: readonly string[]
}

/** Makes the command that writes the SQL for a user. */
export function sqlCommand(context: CommandContext): Command {
  const command = describeCommand('sql', `aurora-iam sql ${HOST} --database shop`)
  return addAccessOptions(command)
    .option(
      '--database <name>',
      'database to grant privileges on (default: that of DATABASE_URL, or no grant)',
    )
    .option('--grant <privileges>', 'privileges to grant (default: SELECT, INSERT, UPDATE, DELETE)')
    .action(async (flags: AccessFlags & { readonly grant?: string }) => {
      const { sqlFor } = await import('../access/sql.ts')
      await writeText(flags, context, (target) => sqlFor(target, flags.grant), 'sql')
    })
}

/** Makes the command that writes Terraform. */
export function terraformCommand(context: CommandContext): Command {
  const command = describeCommand('terraform', `aurora-iam terraform ${HOST} > aurora-iam.tf`)
  return addAccessOptions(command).action(async (flags: AccessFlags) => {
    const { terraformFor } = await import('../access/terraform.ts')
    await writeText(flags, context, terraformFor, 'terraform')
  })
}

/** Makes the command that writes TypeScript for the AWS CDK. */
export function cdkCommand(context: CommandContext): Command {
  const command = describeCommand('cdk', `aurora-iam cdk ${HOST}`)
  return addAccessOptions(command).action(async (flags: AccessFlags) => {
    const { cdkFor } = await import('../access/cdk.ts')
    await writeText(flags, context, cdkFor, 'cdk')
  })
}

async function writeText(
  flags: AccessFlags,
  context: CommandContext,
  textFor: (target: AccessTarget) => string,
  name: 'sql' | 'terraform' | 'cdk',
): Promise<void> {
  const [{ readAccessTarget }, { proxyNotes }] = await Promise.all([
    import('../access/access-target.ts'),
    import('../access/policy.ts'),
  ])
  const target = readAccessTarget(flags)
  const text = textFor(target)
  // SQL needs no ids, and Terraform and CDK look theirs up.
  const notes = [...target.notes.filter((note) => !note.startsWith('Replace ')), ...proxyNotes(target)]
  if (flags.json) return writeJson(context.output, { [name]: text, notes })
  writeNotes(notes, context)
  context.output.out(text)
}

/** Notes go to standard error, so that what is pasted has none. */
function writeNotes(notes: readonly string[], { output }: CommandContext): void {
  for (const note of notes) output.error(`note: ${note}\n`)
}
