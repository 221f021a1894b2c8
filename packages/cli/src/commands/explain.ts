import { Argument, type Command } from 'commander'
import { exitStatuses } from '../exit-statuses.ts'
import { UsageError } from '../options/usage-error.ts'
import { writeJson } from '../output/output.ts'
import { type CommandContext, describeCommand } from './command.ts'

/** More than any token has: the longest that was seen has 6 KB, most of it a session token. */
const MAX_INPUT_CHARACTERS = 64 * 1024

/** Makes the command that shows the fields of a token. */
export function explainCommand({ output, exit, readInput }: CommandContext): Command {
  return describeCommand('explain', 'aurora-iam explain < token.txt')
    .addArgument(
      new Argument(
        '[token]',
        'the token (default: standard input, which leaves nothing in the shell history)',
      ),
    )
    .option('--json', 'print the fields and the problems as JSON')
    .action(async (argument: string | undefined, flags: { readonly json?: boolean }) => {
      const text = (argument ?? (await readInput(MAX_INPUT_CHARACTERS))).trim()
      if (text === '')
        throw new UsageError('The token is missing. Give it as standard input or as an argument.')
      const [{ explainToken }, { formatExplanation }] = await Promise.all([
        import('../token/explain-token.ts'),
        import('../token/format-explanation.ts'),
      ])
      const nowMs = Date.now()
      const explanation = explainToken(text, nowMs)
      if (flags.json) writeJson(output, explanation)
      else output.out(formatExplanation(explanation, nowMs, output))
      if (explanation.problems.length > 0) exit(exitStatuses.FAILURE.status)
    })
}
