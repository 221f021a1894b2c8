import { isolateAwsEnvironment, pathOf, write } from '@aurora-iam/test-support/aws-environment'
import type { localAurora } from '@aurora-iam/test-support/local-aurora'
import { type StsAnswer, serveSts } from '@aurora-iam/test-support/sts'
import { beforeEach, expect, vi } from 'vitest'
import { runCli } from '../src/cli.ts'

type LocalAurora = Awaited<ReturnType<typeof localAurora>>

export const LET_IN = { accessKeyId: '' }

/** Prepares each test of this file: the AWS SDK's default chain has credentials for `aurora`, and AWS STS answers. */
export function prepareFor(aurora: LocalAurora): void {
  isolateAwsEnvironment()
  beforeEach(async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = aurora.credentials
    vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey)
    vi.stubEnv('AWS_SESSION_TOKEN', sessionToken)
    vi.stubEnv('AWS_REGION', aurora.region)
    for (const name of ['AURORA_IAM_CA', 'AURORA_IAM_REDIS', 'DATABASE_URL']) vi.stubEnv(name, undefined)
    // No test asks AWS itself.
    for (const service of ['RDS', 'IAM']) vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, 'http://127.0.0.1:1')
    await write('ca.pem', aurora.ca)
    await sts(LET_IN)
  })
}

/** Serves AWS STS with `answer`, by a clock that is `aheadMs` ahead of that of this machine. */
export async function sts(answer: StsAnswer, aheadMs = 0): Promise<void> {
  vi.stubEnv(
    'AWS_ENDPOINT_URL_STS',
    await serveSts(
      () => answer,
      () => Date.now() + aheadMs,
    ),
  )
}

/** Returns the arguments that make the doctor look at `aurora`, with `options` in place of the right ones. */
export function doctorArguments(aurora: LocalAurora, options: Record<string, string> = {}): string[] {
  const { host, port, hostname } = aurora
  const right = { host, port: String(port), user: 'app', hostname, ca: pathOf('ca.pem') }
  const given = Object.entries({ ...right, ...options })
  return ['doctor', ...given.flatMap(([name, value]) => [`--${name}`, value])]
}

/** Runs the command, whose output must not have the credentials of `aurora`. */
export async function run(aurora: LocalAurora, args: readonly string[]) {
  let out = ''
  let error = ''
  const status = await runCli(args, {
    out: (text) => {
      out += text
    },
    error: (text) => {
      error += text
    },
  })
  expect(out + error).not.toContain(aurora.credentials.secretAccessKey)
  expect(out + error).not.toContain('X-Amz-')
  const verdicts = Object.fromEntries(
    [...out.matchAll(/^(ok|FAIL|unknown) +(\S+) /gm)].map(([, verdict, check]) => [check, verdict]),
  )
  // The next line of a check that failed is what to do.
  expect(out).not.toMatch(/^FAIL .*\n(?! {22}\S)/m)
  // Options are named as this program has them.
  expect(out + error).not.toMatch(/`(host|hostname|port|user|dial|region|profile|ca|credentials)`/)
  return { status, out, error, verdicts }
}
