import { TOKEN_VECTORS, WRONG_SIGNATURE } from '@aurora-iam/test-support/token-vectors'
import { Signer } from '@aws-sdk/rds-signer'
import { afterEach, expect, test, vi } from 'vitest'
import { createAuroraIam } from '../../src/index.ts'
import { signAt } from '../../src/token/sign.ts'

afterEach(() => {
  vi.useRealTimers()
})

test.each(TOKEN_VECTORS)('the vector $id: the same token as that of other signers', async (vector) => {
  const { region, credentials, hostname, port, username } = vector
  const clock = () => Date.parse(vector.signedAt)
  const token = await createAuroraIam({ region, credentials, clock }).token({ hostname, port, username })

  const date = vector.signedAt.replaceAll(/[-:]/g, '')
  const { host, pathname, searchParams } = new URL(`mysql://${token.value}`)
  expect(host).toBe(`${hostname}:${port}`)
  expect(pathname).toBe('/')
  expect(Object.fromEntries(searchParams)).toEqual({
    Action: 'connect',
    DBUser: username,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${credentials.accessKeyId}/${date.slice(0, 8)}/${region}/rds-db/aws4_request`,
    'X-Amz-Date': date,
    'X-Amz-Expires': '900',
    'X-Amz-SignedHeaders': 'host',
    ...(credentials.sessionToken === undefined ? {} : { 'X-Amz-Security-Token': credentials.sessionToken }),
    'X-Amz-Signature': vector.signature,
  })
  expect(token.expiresAt).toEqual(new Date(clock() + 900_000))
})

test('a signed token: only the host header is signed', async () => {
  const [first] = TOKEN_VECTORS
  const { region, credentials, signedAt, ...target } = first!
  const token = await createAuroraIam({ region, credentials, clock: () => Date.parse(signedAt) }).token(
    target,
  )
  expect(token.value).not.toContain(WRONG_SIGNATURE)
})

test.each(TOKEN_VECTORS)("the token equals that of AWS's RDS signer to the letter: $id", async (vector) => {
  const { region, credentials, hostname, port, username } = vector
  const input = { region, credentials, hostname, port, username }
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(vector.signedAt) })
  const theirs = await new Signer(input).getAuthToken()
  expect(await signAt(Date.now)(input)).toBe(theirs)
  expect((await createAuroraIam({ region, credentials }).token(input)).value).toBe(theirs)
})

test('no clock among the options: the RDS signer of AWS signs', async () => {
  const signed = vi.spyOn(Signer.prototype, 'getAuthToken')
  const { region, credentials, hostname, port, username, signedAt } = TOKEN_VECTORS[0]!
  await createAuroraIam({ region, credentials }).token({ hostname, port, username })
  expect(signed).toHaveBeenCalledOnce()
  await createAuroraIam({ region, credentials, clock: () => Date.parse(signedAt) }).token({
    hostname,
    port,
    username,
  })
  expect(signed).toHaveBeenCalledOnce()
  signed.mockRestore()
})

test('a name in upper case: signed in lower case', async () => {
  const { region, credentials, signedAt, hostname, port, username } = TOKEN_VECTORS[4]!
  const iam = createAuroraIam({ region, credentials, clock: () => Date.parse(signedAt) })
  const [given, upper] = await Promise.all([
    iam.token({ hostname, port, username }),
    iam.token({ hostname: `${hostname.toUpperCase()}.`, port, username }),
  ])
  expect(upper).toBe(given)
  expect(iam.stats().tokensSigned).toBe(1)
})
