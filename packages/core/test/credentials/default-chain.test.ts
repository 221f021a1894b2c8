import { isolateAwsEnvironment, pathOf, write } from '@aurora-iam/test-support/aws-environment'
import { SECRET, SESSION } from '@aurora-iam/test-support/example-credentials'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { describe, expect, test, vi } from 'vitest'
import { credentialsOfEnvironment } from '../../src/credentials/environment.ts'
import { accessKeyId, refused, start } from '../chain.ts'
import { MINUTE, TARGET } from '../support.ts'

isolateAwsEnvironment()

describe('environment', () => {
  test('variables of the environment: key, secret, session token and expiry are read', async () => {
    const end = new Date(Math.ceil(Date.now() / 1000) * 1000 + 5 * MINUTE)
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDENV')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', SECRET)
    vi.stubEnv('AWS_SESSION_TOKEN', SESSION)
    vi.stubEnv('AWS_CREDENTIAL_EXPIRATION', end.toISOString())
    const token = await start().token(TARGET)
    expect(token.value).toContain('X-Amz-Credential=AKIDENV%2F')
    expect(token.value).toContain(`X-Amz-Security-Token=${SESSION}`)
    expect(token.expiresAt).toEqual(end)
  })

  // A profile beside the variables: the chain has the profile's, which is not there.
  test.each([
    ['key and secret', {}, undefined],
    ['a session', { AWS_SESSION_TOKEN: SESSION }, undefined],
    [
      'an expiry',
      { AWS_SESSION_TOKEN: SESSION, AWS_CREDENTIAL_EXPIRATION: '2040-01-01T00:00:00Z' },
      undefined,
    ],
    ['an expiry that is no date', { AWS_CREDENTIAL_EXPIRATION: 'soon' }, undefined],
    ['empty variables', { AWS_SESSION_TOKEN: '', AWS_CREDENTIAL_EXPIRATION: '', AWS_PROFILE: '' }, undefined],
    ['an empty profile', { AWS_PROFILE: 'one' }, ''],
    ['no key', { AWS_ACCESS_KEY_ID: '' }, undefined],
    ['no secret', { AWS_SECRET_ACCESS_KEY: '' }, undefined],
    ['AWS_PROFILE', { AWS_PROFILE: 'one' }, undefined],
    ['a profile', {}, 'one'],
  ])('variables with %s: the credentials of the SDK’s chain, or none', async (_what, more, profile) => {
    const variables = { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: SECRET, ...more }
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
    const chain = defaultProvider({ ignoreCache: true, ...(profile === undefined ? {} : { profile }) })
    vi.spyOn(console, 'warn').mockReturnValue()
    // Without a profile in the files, only the environment has any.
    const theirs = await chain().catch(() => undefined)
    const ours = credentialsOfEnvironment(profile)
    expect(ours).toEqual(theirs && { ...theirs, $source: undefined })
  })
})

describe('no credentials', () => {
  const NONE = 'no AWS credentials (Could not load credentials from any providers; '

  test('nothing anywhere: CREDENTIALS_UNAVAILABLE, with the reason of each provider and no step of the SDK', async () => {
    const error = await rejectionOf(start().token(TARGET))
    expect(error).toMatchObject({
      code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE',
      option: 'credentials',
      retryable: true,
      cause: { name: 'CredentialsProviderError' },
    })
    expect(error.message).toContain(`${NONE}Unable to find environment variable credentials; `)
    expect(error.message).toMatch(/disabled\)\. Give `credentials` or `profile`/)
    expect(error.message).not.toMatch(/skipping|checking|defaultProvider|\.;/i)
  })

  test('another reason at the next call: that one alone', async () => {
    vi.stubEnv('AWS_PROFILE', 'app')
    const role = 'role_arn = arn:aws:iam::123456789012:role/app'
    await write('config', `[profile app]\n${role}\nsource_profile = app\n`)
    const iam = start()
    const cycle = await rejectionOf(iam.token(TARGET))
    expect(cycle.message).toMatch(/Detected a cycle .* for profile app\. Profiles visited: app;/)
    await write('config', `[profile app]\n${role}\nsource_profile = gone\n`)
    const gone = await rejectionOf(iam.token(TARGET))
    expect(gone.message).toContain(`${NONE}Could not resolve credentials using profile: [gone]`)
    expect(gone.message).not.toContain('cycle')
  })

  test('a provider that applies and fails: its reason, without those of the providers before it', async () => {
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::123456789012:role/app')
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', pathOf('gone'))
    const { message } = await rejectionOf(start().token(TARGET))
    expect(message).toMatch(/no AWS credentials \(ENOENT[^;]*\)\./)
  })
})

describe('shared files', () => {
  const writeKeys = (keys: Record<string, string>) =>
    write(
      'credentials',
      Object.entries(keys)
        .map(
          ([profile, id]) => `[${profile}]\naws_access_key_id = ${id}\naws_secret_access_key = ${SECRET}\n`,
        )
        .join('\n'),
    )

  test('several profiles: the profile option first, then AWS_PROFILE, then the default', async () => {
    await writeKeys({ default: 'AKIDDEFAULT', one: 'AKIDONE', two: 'AKIDTWO' })
    expect(await accessKeyId(start())).toBe('AKIDDEFAULT')
    vi.stubEnv('AWS_PROFILE', 'one')
    expect(await accessKeyId(start())).toBe('AKIDONE')
    expect(await accessKeyId(start({ profile: 'two' }))).toBe('AKIDTWO')
  })

  test('rewritten while the program runs: read again once the database has rejected the old keys', async () => {
    await writeKeys({ default: 'AKIDOLD' })
    const iam = start()
    expect(await accessKeyId(iam)).toBe('AKIDOLD')
    await writeKeys({ default: 'AKIDNEW' })
    expect(await accessKeyId(iam, 'other')).toBe('AKIDOLD')
    await refused(iam)
    expect(await accessKeyId(iam)).toBe('AKIDNEW')
    expect(await accessKeyId(iam, 'other')).toBe('AKIDNEW')
  })

  test('written after the first attempt failed: found by the next', async () => {
    const iam = start()
    await rejectionOf(iam.token(TARGET))
    await writeKeys({ default: 'AKIDLATE' })
    expect(await accessKeyId(iam)).toBe('AKIDLATE')
  })

  test('credential_process: its answer, and its end', async () => {
    const end = new Date(Math.ceil(Date.now() / 1000) * 1000 + 20 * MINUTE)
    const answer = {
      Version: 1,
      AccessKeyId: 'AKIDPROCESS',
      SecretAccessKey: SECRET,
      SessionToken: SESSION,
      Expiration: new Date(end.getTime() - 10 * MINUTE).toISOString(),
    }
    await write('answer.json', JSON.stringify(answer))
    await write('config', `[profile process]\ncredential_process = cat ${pathOf('answer.json')}\n`)
    const token = await start({ profile: 'process' }).token(TARGET)
    expect(token.value).toContain('X-Amz-Credential=AKIDPROCESS%2F')
    expect(token.expiresAt).toEqual(new Date(answer.Expiration))
  })

  test.each([
    ['an end that is no date', { AccessKeyId: 'AKIDBAD', SecretAccessKey: SECRET, Expiration: 'banana' }],
    ['keys that are no strings', { AccessKeyId: 5, SecretAccessKey: 6 }],
  ])('credential_process that once gives %s: the next caller asks again', async (_what, nonsense) => {
    await write('answer.json', JSON.stringify({ Version: 1, ...nonsense }))
    await write('config', `[profile process]\ncredential_process = cat ${pathOf('answer.json')}\n`)
    const iam = start({ profile: 'process' })
    expect((await rejectionOf(iam.token(TARGET))).code).toBe('ERR_AURORA_IAM_CREDENTIALS_INVALID')
    const mended = { Version: 1, AccessKeyId: 'AKIDMENDED', SecretAccessKey: SECRET }
    await write('answer.json', JSON.stringify(mended))
    expect(await accessKeyId(iam)).toBe('AKIDMENDED')
  })

  test('credential_process that prints an invalid response: UNAVAILABLE, and what it printed is not repeated', async () => {
    await write('config', `[profile process]\ncredential_process = echo ${SECRET}\n`)
    const error = await rejectionOf(start({ profile: 'process' }).token(TARGET))
    expect(error.code).toBe('ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE')
    expect(error.message).not.toContain(SECRET)
  })
})
