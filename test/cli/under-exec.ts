import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LocalAurora } from '@aurora-iam/local'

const here = fileURLToPath(new URL('.', import.meta.url))
const cli = join(here, '../../packages/cli')

/** Builds the program: Node 20 runs no TypeScript. */
export async function buildCli(): Promise<void> {
  await promisify(execFile)(join(cli, '../../node_modules/.bin/tsc'), ['-b', cli])
}

/**
 * Runs a command line tool under `aurora-iam exec` and returns its output. The tool is one of the tests' packages, or of
 * the packages beside `folder`, where `ca.pem` is.
 */
export async function runUnderExec(
  aurora: LocalAurora,
  folder: string,
  command: readonly string[],
): Promise<string> {
  const { host, port, hostname, region, credentials } = aurora
  const target = ['--host', host, '--port', String(port), '--hostname', hostname, '--user', 'app']
  const options = [...target, '--database', 'app', '--ca', join(folder, 'ca.pem')]
  const bins = [
    join(folder, '../node_modules/.bin'),
    join(here, '../node_modules/.bin'),
    dirname(process.execPath),
  ]
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(cli, 'bin/aurora-iam.js'), 'exec', ...options, '--', ...command],
    {
      cwd: folder,
      env: {
        ...process.env,
        PATH: [...bins, process.env.PATH].join(':'),
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_SESSION_TOKEN: credentials.sessionToken,
        AWS_REGION: region,
        NO_COLOR: '1',
      },
    },
  )
  return stdout
}
