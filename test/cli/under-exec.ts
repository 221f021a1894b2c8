import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LocalAurora } from '@aurora-iam/local'
import { credentialsEnvironment, programPath, targetOptions } from '@aurora-iam/test-support/cli-program'

const here = fileURLToPath(new URL('.', import.meta.url))

/**
 * Runs a command line tool under `aurora-iam exec` and returns its output. The tool is one of the tests' packages, or
 * of the packages beside `folder`, where `ca.pem` is.
 */
export async function runUnderExec(
  aurora: LocalAurora,
  folder: string,
  command: readonly string[],
): Promise<string> {
  const options = [...targetOptions(aurora, join(folder, 'ca.pem')), '--database', 'app']
  const bins = [
    join(folder, '../node_modules/.bin'),
    join(here, '../node_modules/.bin'),
    dirname(process.execPath),
  ]
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [programPath, 'exec', ...options, '--', ...command],
    {
      cwd: folder,
      env: {
        ...process.env,
        ...credentialsEnvironment(aurora.credentials),
        AWS_REGION: aurora.region,
        PATH: [...bins, process.env.PATH].join(':'),
        NO_COLOR: '1',
      },
    },
  )
  return stdout
}
