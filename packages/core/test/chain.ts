import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, vi } from 'vitest'
import { type AuroraIam, type AuroraIamOptions, createAuroraIam } from '../src/index.ts'
import { TARGET } from './support.ts'

let folder: string

/** Before each test of this file: no source of the AWS SDK's default chain has anything. */
export function isolateChain(): void {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aurora-iam-chain-'))
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
    vi.stubEnv('AWS_CONFIG_FILE', pathOf('config'))
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', pathOf('credentials'))
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    // The SDK's clients warn on Node 20 that they will need a newer one some day.
    vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true')
  })

  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })
}

/** Where a file of the test is. */
export function pathOf(name: string): string {
  return join(folder, name)
}

/** Writes a file of the test: `config` and `credentials` are those that the SDK reads. */
export function write(name: string, text: string | Uint8Array): Promise<void> {
  return writeFile(pathOf(name), text)
}

/** An AuroraIam on the default chain. */
export function start(options: AuroraIamOptions = {}): AuroraIam {
  return createAuroraIam({ rateLimit: false, ...options })
}

/** Whose token it is that `username` gets now. */
export async function accessKeyId(iam: AuroraIam, username = 'app'): Promise<string | undefined> {
  const { value } = await iam.token({ ...TARGET, username })
  return /X-Amz-Credential=(\w+)%2F/.exec(value)?.[1]
}

/** The database refuses the token that `username` presents. Returns the error that the driver has then. */
export async function refused(iam: AuroraIam, username = 'app'): Promise<Error> {
  const login = await iam.login(iam.resolve({ host: TARGET.hostname, port: 3306, user: username }))
  await login.token()
  const error = Object.assign(new Error('Access denied'), { errno: 1045, code: 'ER_ACCESS_DENIED_ERROR' })
  login.fail(error)
  return error
}
