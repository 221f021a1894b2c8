import type { Command } from 'commander'
import { writeJson } from '../output/output.ts'
import { shellWord } from '../output/quoted.ts'
import type { CaFlags } from '../trust/store-bundle.ts'
import { type CommandContext, describeCommand } from './command.ts'

/** Makes the command that fetches certificate authorities. */
export function caCommand({ output }: CommandContext): Command {
  return describeCommand('ca', 'aurora-iam ca --region ap-east-2')
    .option('--region <name>', 'Region whose roots to fetch')
    .option('--all', 'fetch the roots of all commercial Regions')
    .option(
      '--out <file>',
      'file to write (default: aurora-iam/REGION-bundle.pem in the data folder of the user)',
    )
    .option('--sha256 <digits>', 'digest that the fetched file must have')
    .option(
      '--url <address>',
      'address to fetch from, such as a mirror (default: the one that AWS documents)',
    )
    .option('--json', 'print the roots as JSON')
    .action(async (flags: CaFlags & { readonly json?: boolean }) => {
      const { storeBundle } = await import('../trust/store-bundle.ts')
      const { path, url, roots, warnings } = await storeBundle(flags)
      if (flags.json) {
        const shown = roots.map(({ pem: _pem, ...root }) => root)
        return writeJson(output, { path, url, roots: shown, warnings })
      }
      for (const warning of warnings) output.error(`warning: ${warning}\n`)
      for (const { subject, validTo, fingerprint } of roots)
        output.out(
          `${subject.replace(/^[\s\S]*CN=/, '')}, until ${validTo.toISOString().slice(0, 10)}\n  SHA-256 ${fingerprint}\n`,
        )
      output.out(`stored in ${path}\n`)
      // The roots of one Region are found by its name; those of all Regions and other files are given.
      if (flags.out !== undefined || flags.all)
        output.out(`use it with --ca ${shellWord(path)}, or AURORA_IAM_CA=${shellWord(path)}\n`)
    })
}
