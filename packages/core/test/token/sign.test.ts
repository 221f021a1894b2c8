import { TOKEN_VECTORS, WRONG_SIGNATURE } from '@aurora-iam/test-support/token-vectors'
import { Signer } from '@aws-sdk/rds-signer'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { createAuroraIam } from '../../src/index.ts'
import { type SigningInput, sign } from '../../src/token/sign.ts'

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

/** Returns the token that AWS's RDS signer makes at a time. */
async function tokenOfAws(input: SigningInput, nowMs: number): Promise<string> {
  vi.useFakeTimers({ toFake: ['Date'], now: nowMs })
  try {
    return await new Signer(input).getAuthToken()
  } finally {
    vi.useRealTimers()
  }
}

test.each(TOKEN_VECTORS)(
  "the vector $id: the token equals that of AWS's RDS signer to the letter",
  async (vector) => {
    const { region, credentials, hostname, port, username } = vector
    const input = { region, credentials, hostname, port, username }
    const nowMs = Date.parse(vector.signedAt)
    const theirs = await tokenOfAws(input, nowMs)
    expect(sign(input, nowMs)).toBe(theirs)
    vi.useFakeTimers({ toFake: ['Date'], now: nowMs })
    expect((await createAuroraIam({ region, credentials }).token(input)).value).toBe(theirs)
  },
)

test("any names, keys and times: the token equals that of AWS's RDS signer to the letter", async () => {
  // Grapheme units: all of Unicode but lone surrogates, which no signer can encode.
  const text = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
  const input = fc.record({
    hostname: fc.domain(),
    port: fc.integer({ min: 1, max: 65_535 }),
    username: text,
    region: fc.constantFrom('eu-west-1', 'us-gov-west-1', 'cn-north-1'),
    credentials: fc.record(
      { accessKeyId: text, secretAccessKey: text, sessionToken: text },
      { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
    ),
  })
  const nowMs = fc.integer({ min: 0, max: Date.parse('9999-12-31T23:59:59Z') })
  await fc.assert(
    fc.asyncProperty(input, nowMs, async (input, nowMs) => {
      expect(sign(input, nowMs)).toBe(await tokenOfAws(input, nowMs))
    }),
  )
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
