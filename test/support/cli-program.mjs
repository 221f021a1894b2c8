import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const workspace = new URL('../../', import.meta.url)

export const programPath = fileURLToPath(new URL('packages/cli/bin/aurora-iam.js', workspace))

export async function buildProgram() {
  const tsc = fileURLToPath(new URL('node_modules/.bin/tsc', workspace))
  await promisify(execFile)(tsc, ['-b', fileURLToPath(new URL('packages/cli', workspace))])
}

export function targetOptions({ host, port, hostname }, caFile) {
  const target = ['--host', host, '--port', String(port), '--hostname', hostname]
  return [...target, '--user', 'app', '--ca', caFile]
}

export function credentialsEnvironment({ accessKeyId, secretAccessKey, sessionToken }) {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  }
}
