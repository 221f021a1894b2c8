import { runCli } from '../src/cli.ts'

/** Runs a command in this process. */
export async function run(args: readonly string[], input = '') {
  const output = { out: '', error: '' }
  const status = await runCli(
    args,
    {
      out: (text) => {
        output.out += text
      },
      error: (text) => {
        output.error += text
      },
    },
    { readInput: async () => input, stopped: () => new AbortController().signal },
  )
  return { status, ...output }
}
