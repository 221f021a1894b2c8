import { until } from '@aurora-iam/test-support/until'
import { fromContainerMetadata, fromHttp, fromInstanceMetadata } from '@aws-sdk/credential-providers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createPrincipal, type Principal } from '../../src/iam/principals.ts'
import { type CredentialEndpoints, startCredentialEndpoints } from '../../src/metadata/metadata-server.ts'

const IN_AN_HOUR = new Date(Math.floor(Date.now() / 1000) * 1000 + 3_600_000)

let identity: Principal
let endpoints: CredentialEndpoints

beforeEach(async () => {
  identity = createPrincipal({ expiration: IN_AN_HOUR })
  endpoints = await startCredentialEndpoints(() => identity)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await endpoints.close()
})

function enter(kind: 'ec2' | 'container') {
  for (const [name, value] of Object.entries(endpoints.environment(kind))) vi.stubEnv(name, value)
}

function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return fetch(`${endpoints.imdsEndpoint}${path}`, { method, headers })
}

/** Each with the environment it finds its endpoint by. */
const PROVIDERS = [
  ['fromInstanceMetadata', 'ec2', () => fromInstanceMetadata({ timeout: 300, maxRetries: 0 })],
  ['fromContainerMetadata', 'container', () => fromContainerMetadata({ timeout: 300, maxRetries: 0 })],
  ['fromHttp', 'container', () => fromHttp({ timeout: 300, maxRetries: 0 })],
] as const

describe.each(PROVIDERS)('%s of the AWS SDK', (name, kind, create) => {
  test('an SDK at the endpoint: it gets the identity', async () => {
    enter(kind)
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = identity
    expect(await create()()).toMatchObject({ accessKeyId, secretAccessKey, sessionToken, expiration })
  })

  test('a rotation: the SDK gets the new identity', async () => {
    enter(kind)
    const provider = create()
    await provider()
    identity = createPrincipal({ expiration: IN_AN_HOUR })
    expect(await provider()).toMatchObject({ accessKeyId: identity.accessKeyId })
  })

  test('the endpoint answers 500 for a while: the SDK fails, and works again afterwards', async () => {
    enter(kind)
    endpoints.setFault('error')
    await expect(create()()).rejects.toThrow()
    endpoints.setFault(undefined)
    expect(await create()()).toMatchObject({ accessKeyId: identity.accessKeyId })
  })

  test('the endpoint hangs: the SDK gets no answer', async () => {
    enter(kind)
    endpoints.setFault('hang')
    let answered = false
    const asked = create()().then(
      () => {
        answered = true
      },
      () => {},
    )
    await until(() => endpoints.requests > 0)
    await endpoints.close()
    await asked
    expect(answered, name).toBe(false)
  })
})

describe('instance metadata', () => {
  const CREDENTIALS = '/latest/meta-data/iam/security-credentials/'
  const ttl = (seconds: string) => ({ 'x-aws-ec2-metadata-token-ttl-seconds': seconds })

  test('version 1, which has no session token: 401', async () => {
    expect((await get(CREDENTIALS)).status).toBe(401)
    expect((await get(CREDENTIALS, { 'x-aws-ec2-metadata-token': 'made-up' })).status).toBe(401)
  })

  test.each(['', '0', '21601', 'x'])('a session of %j seconds: not opened', async (seconds) => {
    expect((await get('/latest/api/token', ttl(seconds), 'PUT')).status).toBe(400)
  })

  test('a session: it expires', async () => {
    const token = await (await get('/latest/api/token', ttl('60'), 'PUT')).text()
    const session = { 'x-aws-ec2-metadata-token': token }
    const role = await (await get(CREDENTIALS, session)).text()
    expect(await (await get(CREDENTIALS + role, session)).json()).toMatchObject({
      Code: 'Success',
      Type: 'AWS-HMAC',
    })
    expect((await get(`${CREDENTIALS}another-role`, session)).status).toBe(404)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
    expect((await get(CREDENTIALS, session)).status).toBe(401)
    vi.useRealTimers()
  })
})

describe('container credentials', () => {
  test('no authorization token: refused', async () => {
    expect((await fetch(endpoints.containerUrl)).status).toBe(401)
    expect((await fetch(endpoints.containerUrl, { headers: { authorization: 'x' } })).status).toBe(401)
    const headers = { authorization: endpoints.authorizationToken }
    expect((await fetch(endpoints.containerUrl, { headers })).status).toBe(200)
    expect(endpoints.requests).toBe(3)
  })

  test('container credentials: they always have an expiry, as the real ones do', async () => {
    identity = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'throw-away' }
    enter('container')
    const { expiration } = await fromHttp()()
    expect(expiration?.getTime()).toBeGreaterThan(Date.now())
  })
})
