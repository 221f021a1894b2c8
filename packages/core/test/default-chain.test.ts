import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type AuroraIam, type AuroraIamOptions, createAuroraIam } from '../src/index.ts'
import { serve } from './loopback.ts'
import { MINUTE, rejection, SECRET, SESSION, TARGET } from './support.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aurora-iam-chain-'))
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

function start(options: AuroraIamOptions = {}): AuroraIam {
  return createAuroraIam({ rateLimit: false, ...options })
}

async function accessKeyId(iam: AuroraIam, username = 'app'): Promise<string | undefined> {
  const { value } = await iam.token({ ...TARGET, username })
  return /X-Amz-Credential=(\w+)%2F/.exec(value)?.[1]
}

/** The database refuses the token that `username` presents. */
async function refused(iam: AuroraIam, username = 'app'): Promise<void> {
  const login = await iam.login(iam.resolve({ host: TARGET.hostname, port: 3306, user: username }))
  await login.token()
  login.failed(Object.assign(new Error('Access denied'), { errno: 1045, code: 'ER_ACCESS_DENIED_ERROR' }))
}

describe('environment', () => {
  test('keys, session token and end are taken', async () => {
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

  test('nothing anywhere: CREDENTIALS_UNAVAILABLE, with what the SDK says', async () => {
    const error = await rejection(start().token(TARGET))
    expect(error).toMatchObject({
      code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE',
      option: 'credentials',
      retryable: true,
      cause: { name: 'CredentialsProviderError' },
    })
    expect(error.message).toMatch(/Could not load credentials.*Give `credentials` or `profile`/)
  })
})

describe('shared files', () => {
  const write = (keys: Record<string, string>) =>
    writeFile(
      join(folder, 'credentials'),
      Object.entries(keys)
        .map(
          ([profile, id]) => `[${profile}]\naws_access_key_id = ${id}\naws_secret_access_key = ${SECRET}\n`,
        )
        .join('\n'),
    )

  test('the profile option, else AWS_PROFILE, else the default', async () => {
    await write({ default: 'AKIDDEFAULT', one: 'AKIDONE', two: 'AKIDTWO' })
    expect(await accessKeyId(start())).toBe('AKIDDEFAULT')
    vi.stubEnv('AWS_PROFILE', 'one')
    expect(await accessKeyId(start())).toBe('AKIDONE')
    expect(await accessKeyId(start({ profile: 'two' }))).toBe('AKIDTWO')
  })

  test('rewritten while the program runs: read again once the database has refused the old keys', async () => {
    await write({ default: 'AKIDOLD' })
    const iam = start()
    expect(await accessKeyId(iam)).toBe('AKIDOLD')
    await write({ default: 'AKIDNEW' })
    expect(await accessKeyId(iam, 'other')).toBe('AKIDOLD')
    await refused(iam)
    expect(await accessKeyId(iam)).toBe('AKIDNEW')
    expect(await accessKeyId(iam, 'other')).toBe('AKIDNEW')
  })

  test('written after the first attempt failed: found by the next', async () => {
    const iam = start()
    await rejection(iam.token(TARGET))
    await write({ default: 'AKIDLATE' })
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
    await writeFile(join(folder, 'answer.json'), JSON.stringify(answer))
    await writeFile(
      join(folder, 'config'),
      `[profile process]\ncredential_process = cat ${join(folder, 'answer.json')}\n`,
    )
    const token = await start({ profile: 'process' }).token(TARGET)
    expect(token.value).toContain('X-Amz-Credential=AKIDPROCESS%2F')
    expect(token.expiresAt).toEqual(new Date(answer.Expiration))
  })

  test('credential_process that prints nonsense: UNAVAILABLE, and what it printed is not repeated', async () => {
    await writeFile(join(folder, 'config'), `[profile process]\ncredential_process = echo ${SECRET}\n`)
    const error = await rejection(start({ profile: 'process' }).token(TARGET))
    expect(error.code).toBe('ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE')
    expect(error.message).not.toContain(SECRET)
  })
})

describe('container endpoint', () => {
  test('its credentials, with the authorization that it asks for', async () => {
    const end = new Date(Math.ceil(Date.now() / 1000) * 1000 + 60 * MINUTE)
    const url = await serve((request, response) => {
      response.statusCode = request.headers.authorization === 'let-me-in' ? 200 : 401
      response.end(
        JSON.stringify({
          AccessKeyId: 'AKIDCONTAINER',
          SecretAccessKey: SECRET,
          Token: SESSION,
          Expiration: end.toISOString(),
        }),
      )
    })
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${url}/v1/credentials`)
    vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN', 'let-me-in')
    expect(await accessKeyId(start())).toBe('AKIDCONTAINER')
  })

  test('credentials in their last minutes: newer ones are asked for once, not with every token', async () => {
    let requests = 0
    const url = await serve((_request, response) => {
      requests++
      const Expiration = new Date(Date.now() + 10 * MINUTE).toISOString()
      response.end(
        JSON.stringify({ AccessKeyId: 'AKIDSHORT', SecretAccessKey: SECRET, Token: SESSION, Expiration }),
      )
    })
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${url}/`)
    const iam = start()
    await Promise.all(Array.from({ length: 20 }, (_, index) => accessKeyId(iam, `user${index}`)))
    for (let index = 0; index < 20; index++) await accessKeyId(iam, `later${index}`)
    expect(requests).toBe(2)
  })

  test('one that takes the request and never answers: CREDENTIALS_TIMEOUT, and usable when it is back', async () => {
    let isUp = false
    const url = await serve((_request, response) => {
      const Expiration = new Date(Date.now() + 60 * MINUTE).toISOString()
      if (isUp) {
        response.end(
          JSON.stringify({ AccessKeyId: 'AKIDBACK', SecretAccessKey: SECRET, Token: SESSION, Expiration }),
        )
      }
    })
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${url}/`)
    const iam = start({ credentialsTimeoutMs: 300 })
    expect(await rejection(iam.token(TARGET))).toMatchObject({
      code: 'ERR_AURORA_IAM_CREDENTIALS_TIMEOUT',
      option: 'credentials',
      retryable: true,
      message: expect.stringMatching(/300 ms.*metadata endpoint/),
    })
    isUp = true
    expect(await accessKeyId(iam)).toBe('AKIDBACK')
  })
})

describe('EC2 instance metadata', () => {
  async function instance(answer: () => object): Promise<void> {
    const url = await serve((request, response) => {
      const { method, url: path, headers } = request
      const role = '/latest/meta-data/iam/security-credentials/'
      if (method === 'PUT' && path === '/latest/api/token') response.end('session')
      else if (headers['x-aws-ec2-metadata-token'] !== 'session') response.writeHead(401).end()
      else if (path === role) response.end('my-role')
      else if (path === `${role}my-role`) response.end(JSON.stringify(answer()))
      else response.writeHead(404).end()
    })
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', undefined)
    vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', url)
  }

  test('IMDSv2: its credentials, which rotate in time', async () => {
    let generation = 1
    let now = Date.now()
    await instance(() => ({
      Code: 'Success',
      AccessKeyId: `AKIDEC2${generation}`,
      SecretAccessKey: SECRET,
      Token: SESSION,
      Expiration: new Date(Date.now() + 6 * 60 * MINUTE).toISOString(),
    }))
    const iam = start({ clock: () => now })
    expect(await accessKeyId(iam)).toBe('AKIDEC21')
    generation = 2
    now += (6 * 60 - 10) * MINUTE
    expect(await accessKeyId(iam)).toBe('AKIDEC22')
  })
})
