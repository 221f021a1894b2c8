import { inspect } from 'node:util'
import { isolateAwsEnvironment, write } from '@aurora-iam/test-support/aws-environment'
import { SECRET, SESSION } from '@aurora-iam/test-support/example-credentials'
import { serveHttp } from '@aurora-iam/test-support/http-server'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createAuroraIam } from '../src/index.ts'
import { accessKeyId, start } from './chain.ts'
import { TARGET } from './support.ts'

isolateAwsEnvironment()

beforeEach(() => {
  vi.stubEnv('AWS_PROFILE', 'app')
})

const ROLE = 'role_arn = arn:aws:iam::123456789012:role/app'
const profile = (...lines: string[]) => `[profile app]\n${lines.join('\n')}\n`
const command = (line: string) => profile(`credential_process = ${line}`)
const printing = (answer: object) => command(`echo '${JSON.stringify({ Version: 1, ...answer })}'`)
const KEYS = { AccessKeyId: 'AKIDPROCESS', SecretAccessKey: SECRET }

const garbage = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7_919) % 256)

const HOSTILE: ReadonlyArray<readonly [what: string, config: string | Uint8Array, said: RegExp]> = [
  ['nothing', '', /Profile app could not be found/],
  ['binary garbage', garbage, /Profile app could not be found/],
  ['no valid ini', '[profile app\nrole_arn\n===\n]]', /Profile app could not be found/],
  ['a profile named __proto__', '[profile __proto__]\naws_access_key_id = x\n', /Profile app could not be/],
  ['one line of 10 MB', 'x'.repeat(10_000_000), /Profile app could not be found/],
  ['200,000 settings', profile('x = y\n'.repeat(200_000)), /using profile: \[app\]/],
  ['a profile that is its own source', profile(ROLE, 'source_profile = app'), /Detected a cycle/],
  [
    'profiles that are the source of each other',
    `${profile(ROLE, 'source_profile = b')}[profile b]\n${ROLE}\nsource_profile = app\n`,
    /Detected a cycle.*Profiles visited: b, app/,
  ],
  ['a source that does not exist', profile(ROLE, 'source_profile = gone'), /using profile: \[gone\]/],
  ['an unknown kind of source', profile(ROLE, 'credential_source = Moon'), /Got Moon/],
  ['half a key', profile('aws_access_key_id = AKIDHALF'), /using profile: \[app\]/],
  ['a command that does not exist', command(`/no/such/command ${SECRET}`), /the command failed \(its output/],
  ['a command that fails', command(`sh -c 'echo ${SECRET} >&2; exit 1'`), /the command failed \(its output/],
  [
    'a command that fails at length',
    command(`sh -c 'yes ${SECRET} | head -c 900000 >&2; exit 1'`),
    /the command failed \(its output/,
  ],
  ['a command that prints without end', command(`yes ${SECRET}`), /maxBuffer length exceeded/],
  ['a command that prints no JSON', command(`echo ${SECRET}`), /credential_process returned invalid JSON/],
  ['a command of another version', printing({ ...KEYS, Version: 2 }), /did not return Version 1/],
  ['a command that prints half a key', printing({ SecretAccessKey: SECRET }), /returned invalid credentials/],
  [
    'a command that prints credentials that ended',
    printing({ ...KEYS, Expiration: '2020-01-01T00:00:00Z' }),
    /returned expired credentials/,
  ],
]

describe('an AWS config file with', () => {
  test.each(HOSTILE)(
    '%s: UNAVAILABLE with what the SDK found, in bounds, without a secret; and usable once it is fixed',
    async (_what, config, said) => {
      await write('config', config)
      const iam = start()
      const error = await rejectionOf(iam.token(TARGET))
      expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE', option: 'credentials' })
      expect(error.message).toMatch(said)
      expect(error.message.length).toBeLessThan(1_500)
      expect(error.cause).toMatchObject({ name: 'CredentialsProviderError' })
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET.slice(0, 10))
      await write('config', profile('aws_access_key_id = AKIDMENDED', `aws_secret_access_key = ${SECRET}`))
      expect(await accessKeyId(iam)).toBe('AKIDMENDED')
    },
  )

  test('a command that prints an end that is no date: INVALID', async () => {
    await write('config', printing({ ...KEYS, Expiration: 'tomorrow' }))
    expect(await rejectionOf(start().token(TARGET))).toMatchObject({
      code: 'ERR_AURORA_IAM_CREDENTIALS_INVALID',
      message: expect.stringMatching(/expiration that is .*not a valid Date/),
    })
  })

  test('a command that hangs: TIMEOUT in bounded time, and usable once it is fixed', async () => {
    await write('config', command('sleep 5'))
    // Time enough for the SDK to read the files that are fixed, on a busy machine too.
    const iam = start({ credentialsTimeoutMs: 2_000 })
    expect(await rejectionOf(iam.token(TARGET))).toMatchObject({
      code: 'ERR_AURORA_IAM_CREDENTIALS_TIMEOUT',
      message: expect.stringMatching(/2000 ms.*that a credential_process ends/),
    })
    await write('config', profile('aws_access_key_id = AKIDMENDED', `aws_secret_access_key = ${SECRET}`))
    // On a busy machine the next call may take longer than the limit as well.
    await vi.waitFor(async () => expect(await accessKeyId(iam)).toBe('AKIDMENDED'), 10_000)
  })
})

test('a metadata endpoint that answers the key alone: it is not repeated, in the cause neither', async () => {
  vi.stubEnv('AWS_PROFILE', undefined)
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', undefined)
  vi.stubEnv(
    'AWS_EC2_METADATA_SERVICE_ENDPOINT',
    await serveHttp((_request, response) => response.end(SECRET)),
  )
  const error = await rejectionOf(start().token(TARGET))
  expect(error).toMatchObject({
    code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE',
    cause: { name: 'SyntaxError' },
  })
  expect(error.message).toMatch(/the answer is not JSON/)
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET.slice(0, 10))
})

describe('a provider of the caller whose failure repeats a secret', () => {
  const failing = (failure: Error) =>
    createAuroraIam({ rateLimit: false, credentials: () => Promise.reject(failure) })

  test('a token: removed from the message', async () => {
    const error = await rejectionOf(failing(new Error(`X-Amz-Security-Token=${SESSION}`)).token(TARGET))
    expect(error.message).not.toContain(SESSION)
  })

  test("output of a command in a provider's error: not in the message; the caller's error itself is kept", async () => {
    const failure = new Error(`Command failed: vault read aws\n${SECRET}`)
    const error = await rejectionOf(failing(failure).token(TARGET))
    expect(error.message).not.toContain(SECRET)
    expect(error.cause).toBe(failure)
  })

  test("the AWS SDK's fromProcess: nor in the cause", async () => {
    const failure = Object.assign(new Error(`Command failed: vault read aws\n${SECRET}`), {
      name: 'CredentialsProviderError',
    })
    const error = await rejectionOf(failing(failure).token(TARGET))
    expect(error.cause).toMatchObject({ name: 'CredentialsProviderError' })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET)
  })

  test('a message without end: its first line, in bounds', async () => {
    const error = await rejectionOf(failing(new Error(`${'no '.repeat(100_000)}\nmore`)).token(TARGET))
    expect(error.message.length).toBeLessThan(500)
  })
})
