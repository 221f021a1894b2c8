import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, vi } from 'vitest'

let folder: string

/** Empties every source of the AWS SDK's default credential chain, before each test of this file. */
export function isolateAwsEnvironment(): void {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aurora-iam-chain-'))
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
    vi.stubEnv('AWS_CONFIG_FILE', pathOf('config'))
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', pathOf('credentials'))
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    // The SDK's clients warn on Node 20 that a later release needs a newer Node.
    vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true')
  })

  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })
}

/** Returns the path of a file in the test's temporary folder. */
export function pathOf(name: string): string {
  return join(folder, name)
}

/** Writes a file into the test's temporary folder. The SDK reads `config` and `credentials`. */
export function write(name: string, text: string | Uint8Array): Promise<void> {
  return writeFile(pathOf(name), text)
}
