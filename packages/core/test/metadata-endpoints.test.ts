import { isolateAwsEnvironment, pathOf, write } from '@aurora-iam/test-support/aws-environment'
import { SECRET, SESSION } from '@aurora-iam/test-support/example-credentials'
import { serveHttp } from '@aurora-iam/test-support/http-server'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, test, vi } from 'vitest'
import { accessKeyId, refused, start } from './chain.ts'
import { MINUTE, TARGET } from './support.ts'

isolateAwsEnvironment()

describe('container endpoint', () => {
  test('a request: credentials, with the authorization that it asks for', async () => {
    const end = new Date(Math.ceil(Date.now() / 1000) * 1000 + 60 * MINUTE)
    const url = await serveHttp((request, response) => {
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

  test('EKS Pod Identity: the authorization is read from its file each time, as it rotates', async () => {
    const seen: unknown[] = []
    const url = await serveHttp((request, response) => {
      seen.push(request.headers.authorization)
      const Expiration = new Date(Date.now() + 60 * MINUTE).toISOString()
      response.end(
        JSON.stringify({
          AccessKeyId: `AKIDPOD${seen.length}`,
          SecretAccessKey: SECRET,
          Token: SESSION,
          Expiration,
        }),
      )
    })
    await write('eks-pod-identity-token', 'pod-one')
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${url}/v1/credentials`)
    vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', pathOf('eks-pod-identity-token'))
    const iam = start()
    expect(await accessKeyId(iam)).toBe('AKIDPOD1')
    await write('eks-pod-identity-token', 'pod-two')
    await refused(iam)
    expect(await accessKeyId(iam)).toBe('AKIDPOD2')
    expect(seen).toEqual(['pod-one', 'pod-two'])
  })

  test('credentials in their last minutes: a refresh is requested once, not with every token', async () => {
    let requests = 0
    const url = await serveHttp((_request, response) => {
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

  test('an endpoint that accepts the request and never answers: CREDENTIALS_TIMEOUT, and usable when it is back', async () => {
    let isUp = false
    const url = await serveHttp((_request, response) => {
      const Expiration = new Date(Date.now() + 60 * MINUTE).toISOString()
      if (isUp) {
        response.end(
          JSON.stringify({ AccessKeyId: 'AKIDBACK', SecretAccessKey: SECRET, Token: SESSION, Expiration }),
        )
      }
    })
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${url}/`)
    const iam = start({ credentialsTimeoutMs: 300 })
    expect(await rejectionOf(iam.token(TARGET))).toMatchObject({
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
    const url = await serveHttp((request, response) => {
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

  test('no such endpoint: the error has the reasons of the providers, and no step of the SDK', async () => {
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', undefined)
    vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', 'http://127.0.0.1:1')
    const { message } = await rejectionOf(start().token(TARGET))
    expect(message).toContain('Unable to find environment variable credentials')
    expect(message).not.toContain('checking config file')
  })

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

  test('static stability: an expiry that the SDK extended does not count after a rejection', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    let isUp = true
    let generation = 1
    const credentials = () => ({
      Code: 'Success',
      AccessKeyId: `AKIDEC2${generation}`,
      SecretAccessKey: SECRET,
      Token: SESSION,
      Expiration: new Date(Date.now() + (generation === 1 ? -MINUTE : 60 * MINUTE)).toISOString(),
    })
    await instance(() => (isUp ? credentials() : {}))
    const iam = start()
    // They have ended, and the SDK says that they end in 5 to 10 minutes: they may still be taken, so they are tried.
    expect(await accessKeyId(iam)).toBe('AKIDEC21')
    // The warning of the SDK is not lost.
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('credential expiration extension'))
    isUp = false
    await refused(iam)
    const { expiresAt } = await iam.token(TARGET)
    expect(expiresAt.getTime()).toBeLessThanOrEqual(Date.now() + 10 * MINUTE)
    const asked = iam.stats().credentialsResolved
    await accessKeyId(iam, 'other')
    isUp = true
    generation = 2
    useMovedClock()
    vi.advanceTimersByTime(5_000)
    await refused(iam)
    expect(await accessKeyId(iam)).toBe('AKIDEC22')
    expect(iam.stats().credentialsResolved).toBeGreaterThan(asked)
    vi.useRealTimers()
    vi.restoreAllMocks()
  })
})
