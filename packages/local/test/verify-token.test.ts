import { inspect } from 'node:util'
import { Signer } from '@aws-sdk/rds-signer'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type CredentialIdentity, createPrincipal, type Principal, Principals } from '../src/principals.ts'
import { type IamRefusal, type Login, tokenFingerprint, verifyToken } from '../src/verify-token.ts'
import { TOKEN_VECTORS, WRONG_SIGNATURE } from './fixtures/token-vectors.ts'

const MINUTE = 60_000
const LIFETIME = 15 * MINUTE
const SIGNED_AT = Date.parse('2026-03-04T05:06:07Z')

const login: Login = {
  username: 'app_user',
  hostnames: ['db.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'],
  port: 3306,
  region: 'eu-west-1',
  resourceId: 'cluster-ABCDEFGHIJKL01234',
  accountId: '123456789012',
  partition: 'aws',
}
const hostname = login.hostnames[0] as string

const temporary: Principal = {
  accessKeyId: 'ASIAEXAMPLE234567890',
  secretAccessKey: 'throw-away/secret+of-a-role',
  sessionToken: Buffer.from(Array.from({ length: 600 }, (_, index) => (index * 167 + 13) % 256)).toString(
    'base64',
  ),
  expiration: new Date(SIGNED_AT + 60 * MINUTE),
}
const longLived: Principal = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'throw-away/secret+key' }
const barred: Principal = {
  accessKeyId: 'AKIDBARRED',
  secretAccessKey: 'another-throw-away',
  arn: 'arn:aws:sts::123456789012:assumed-role/reporting/x',
  policy: {
    Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource: 'arn:aws:rds-db:*:*:dbuser:*/other' },
  },
}
const principals = new Principals([temporary, longLived, barred])

afterEach(() => {
  vi.useRealTimers()
})

interface Inputs {
  readonly credentials: CredentialIdentity
  readonly hostname: string
  readonly port: number
  readonly username: string
  readonly region: string
}

/** A token by the AWS SDK, at a moment of our choice. */
async function sign(inputs: Partial<Inputs> = {}, atMs = SIGNED_AT): Promise<string> {
  vi.useFakeTimers({ toFake: ['Date'], now: atMs })
  const { username, port, region } = login
  return new Signer({ credentials: temporary, hostname, port, username, region, ...inputs }).getAuthToken()
}

function verify(token: string, nowMs = SIGNED_AT, to: Partial<Login> = {}) {
  return verifyToken(token, { ...login, ...to }, principals, nowMs, LIFETIME)
}

describe('tokens that must be accepted', () => {
  test.each(TOKEN_VECTORS)('the vector of $source for $username', async (vector) => {
    const signedAtMs = Date.parse(vector.signedAt)
    const token = await sign(vector, signedAtMs)
    expect(token).toContain(`X-Amz-Signature=${vector.signature}`)
    const { username, port, region } = vector
    const to = { ...login, username, port, region, hostnames: ['another.example', vector.hostname] }
    expect(verifyToken(token, to, new Principals([vector.credentials]), signedAtMs, LIFETIME)).toEqual({
      accepted: true,
      accessKeyId: vector.credentials.accessKeyId,
      hostname: vector.hostname,
    })
  })

  test('one that carries its parameters in another order, as other SDKs write it', async () => {
    const [endpoint, query] = (await sign()).split('/?') as [string, string]
    fc.assert(
      fc.property(fc.shuffledSubarray(query.split('&'), { minLength: 9 }), (parameters) => {
        expect(verify(`${endpoint}/?${parameters.join('&')}`)).toMatchObject({ accepted: true })
      }),
      { seed: 1, numRuns: 50 },
    )
  })

  test('one whose host name was signed in upper case', async () => {
    const token = await sign({ hostname: hostname.toUpperCase() })
    expect(verify(token)).toMatchObject({ accepted: true, hostname })
  })

  test('one of made-up credentials, as long as those of real roles', async () => {
    const made = createPrincipal()
    const token = await sign({ credentials: made })
    expect(token.length).toBeGreaterThan(1024)
    expect(verifyToken(token, login, new Principals([made]), SIGNED_AT, LIFETIME)).toMatchObject({
      accepted: true,
    })
    expect(createPrincipal().accessKeyId).not.toBe(made.accessKeyId)
  })

  test('one until just before its time is over, and from a clock that is 5 minutes fast', async () => {
    const token = await sign()
    expect(verify(token, SIGNED_AT + LIFETIME - 1)).toMatchObject({ accepted: true })
    expect(verify(token, SIGNED_AT - 5 * MINUTE)).toMatchObject({ accepted: true })
  })

  test('one for a user whose name needs encoding', async () => {
    const username = "ünï'cødé (50%) & co/@*"
    expect(verify(await sign({ username }), SIGNED_AT, { username })).toMatchObject({ accepted: true })
  })
})

type Bad = readonly [
  kind: string,
  make: () => Promise<string>,
  reason: IamRefusal,
  detail: RegExp,
  nowMs?: number,
]

const edited = (from: string | RegExp, to: string) => async () => {
  const token = await sign()
  const changed = token.replace(from, to)
  expect(changed).not.toBe(token)
  return changed
}

const BAD: readonly Bad[] = [
  ['an empty password', async () => '', 'InvalidToken', /empty password/],
  ['a plain password', async () => 'hunter2!', 'InvalidToken', /not a token at all \(8 characters\)/],
  ['a URL', async () => `https://${await sign()}`, 'InvalidToken', /remove the scheme/],
  ['no port', edited(':3306', ''), 'InvalidToken', /without a port/],
  ['cut at 255 characters', async () => (await sign()).slice(0, 255), 'InvalidToken', /looks truncated/],
  ['cut by one character', async () => (await sign()).slice(0, -1), 'InvalidToken', /looks truncated/],
  ['signature cut', edited(/(Signature=.{20})[0-9a-f]+/, '$1'), 'InvalidToken', /20 characters.*truncated/],
  ['encoded as a whole', async () => encodeURIComponent(await sign()), 'InvalidToken', /double-encoded/],
  ['one value encoded twice', edited(/%2F/g, '%252F'), 'InvalidToken', /X-Amz-Credential" is double-encoded/],
  ['a value decoded', edited(/%2F/g, '/'), 'InvalidToken', /RFC 3986/],
  ['lower-case percent encoding', edited('%2F', '%2f'), 'InvalidToken', /upper-case/],
  ['broken percent encoding', edited('%2F', '%ZZ'), 'InvalidToken', /not a percent-encoded/],
  ['a parameter missing', edited('DBUser=app_user&', ''), 'InvalidToken', /DBUser missing/],
  ['a parameter twice', edited('DBUser=', 'DBUser=root&DBUser='), 'InvalidToken', /"DBUser" is there twice/],
  ['another action', edited('Action=connect', 'Action=drop'), 'InvalidToken', /"drop", expected "connect"/],
  ['another user', () => sign({ username: 'root' }), 'InvalidToken', /"root", the login is as "app_user"$/],
  ['a user in other case', () => sign({ username: 'App_User' }), 'InvalidToken', /upper and lower case/],
  ['another algorithm', edited('AWS4-HMAC', 'AWS4-ECDSA'), 'InvalidToken', /X-Amz-Algorithm/],
  [
    'more signed headers',
    edited('Headers=host', 'Headers=host%3Bx'),
    'InvalidToken',
    /expected "host" alone$/,
  ],
  [
    'no signed header',
    edited('Headers=host', 'Headers='),
    'InvalidToken',
    /expected "host" alone.*truncated/,
  ],
  [
    'another scope date',
    edited('%2F20260304', '%2F20260303'),
    'InvalidToken',
    /the date in X-Amz-Credential/,
  ],
  [
    'another region',
    () => sign({ region: 'eu-west-2' }),
    'InvalidToken',
    /region.*"eu-west-2", expected "eu-west-1"/,
  ],
  ['another service', edited('rds-db', 'rds'), 'InvalidToken', /service.*"rds", expected "rds-db"/],
  ['another terminator', edited('aws4_request', 'aws5_request'), 'InvalidToken', /terminator/],
  ['a scope cut short', edited('%2Faws4_request', ''), 'InvalidToken', /4 parts/],
  [
    'another host',
    () => sign({ hostname: 'localhost' }),
    'InvalidToken',
    /signed for host "localhost".*answers to "db/,
  ],
  ['another port', () => sign({ port: 13306 }), 'InvalidToken', /signed for port "13306".*port is 3306/],
  [
    'too long a life',
    edited('Expires=900', 'Expires=901'),
    'InvalidToken',
    /"901", expected .* from 1 to 900/,
  ],
  ['a life that is no number', edited('Expires=900', 'Expires=9e2'), 'InvalidToken', /"9e2"/],
  ['a date that does not exist', edited(/Date=20260304/, 'Date=20260231'), 'InvalidToken', /X-Amz-Date is/],
  ['a fast clock', sign, 'InvalidToken', /301 s in the future.*clock is fast/, SIGNED_AT - 301_000],
  ['old age', sign, 'ExpiredToken', /900 s old .*good for 900 s/, SIGNED_AT + LIFETIME],
  [
    'an end of its own choice',
    edited('Expires=900', 'Expires=60'),
    'ExpiredToken',
    /good for 60 s/,
    SIGNED_AT + MINUTE,
  ],
  [
    'an unknown access key',
    () => sign({ credentials: { accessKeyId: 'AKIDUNKNOWN', secretAccessKey: 'x' } }),
    'InvalidToken',
    /access key "AKIDUNKNOWN" is unknown/,
  ],
  [
    'no session token where there must be one',
    edited(/X-Amz-Security-Token=[^&]*&/, ''),
    'InvalidToken',
    /Security-Token is missing/,
  ],
  [
    'another session token',
    () => sign({ credentials: { ...temporary, sessionToken: 'of-yesterday' } }),
    'InvalidToken',
    /Security-Token is not the one/,
  ],
  [
    'a session token where there is none',
    () => sign({ credentials: { ...longLived, sessionToken: 'odd' } }),
    'InvalidToken',
    /Security-Token is present/,
  ],
  [
    'credentials that expired first',
    () => sign({}, SIGNED_AT + 50 * MINUTE),
    'ExpiredToken',
    /credentials that signed the token expired at 2026-03-04T06:06:07.000Z/,
    SIGNED_AT + 60 * MINUTE,
  ],
  [
    'another secret key',
    () => sign({ credentials: { ...longLived, secretAccessKey: 'not-the-secret' } }),
    'InvalidToken',
    /signature does not match/,
  ],
  ['a parameter added', edited('Action=', 'A=b&Action='), 'InvalidToken', /signature does not match/],
  [
    'no permission',
    () => sign({ credentials: barred }),
    'NotAuthorized',
    /assumed-role\/reporting\/x is not allowed rds-db:connect on arn:aws:rds-db:eu-west-1:123456789012:dbuser:cluster-ABCDEFGHIJKL01234\/app_user/,
  ],
]

describe('tokens that must be refused', () => {
  test.each(BAD)('%s', async (_kind, make, reason, detail, nowMs) => {
    const token = await make()
    const verdict = verify(token, nowMs)
    expect(verdict).toMatchObject({ accepted: false, reason, detail: expect.stringMatching(detail) })
  })

  test('the reason never repeats the token, its signature or a secret', async () => {
    for (const [, make, , , nowMs] of BAD) {
      const token = await make()
      const signature = /Signature=([0-9a-f]{20,})/.exec(token)?.[1]
      const told = inspect(verify(token, nowMs))
      const secrets = [
        token,
        signature,
        ...[temporary, longLived, barred].flatMap((p) => [p.secretAccessKey, p.sessionToken]),
      ]
      for (const secret of secrets) if (secret) expect(told).not.toContain(secret)
    }
  })

  test('a signature over more than the host header', async () => {
    const vector = TOKEN_VECTORS[0] as (typeof TOKEN_VECTORS)[number]
    const at = Date.parse(vector.signedAt)
    const token = (await sign(vector, at)).replace(vector.signature, WRONG_SIGNATURE)
    const { username, region } = vector
    const to = { ...login, username, region, hostnames: [vector.hostname] }
    expect(verifyToken(token, to, new Principals([vector.credentials]), at, LIFETIME)).toMatchObject({
      reason: 'InvalidToken',
      detail: expect.stringContaining('signature does not match'),
    })
  })

  test('a shorter lifetime of the server counts', async () => {
    const token = await sign()
    expect(verifyToken(token, login, principals, SIGNED_AT + 1000, 1000)).toMatchObject({
      reason: 'ExpiredToken',
    })
  })

  test('whatever single character of a good token is replaced, removed or added', async () => {
    const token = await sign()
    const reasons = ['InvalidToken', 'ExpiredToken', 'NotAuthorized', 'ThrottlingException', 'InternalError']
    const character = fc.oneof(
      fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
      fc.constantFrom(...token),
    )
    const change = fc.record({
      at: fc.nat(token.length - 1),
      removed: fc.constantFrom(0, 1),
      added: fc.oneof(character, fc.constant('')),
    })
    fc.assert(
      fc.property(change, ({ at, removed, added }) => {
        const changed = token.slice(0, at) + added + token.slice(at + removed)
        fc.pre(changed !== token)
        const verdict = verify(changed)
        expect(verdict).toMatchObject({ accepted: false, detail: expect.any(String) })
        expect(reasons).toContain('reason' in verdict && verdict.reason)
      }),
      { seed: 7, numRuns: 3000 },
    )
  })

  test('anything else, without ever throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        expect(verify(text)).toMatchObject({ accepted: false, reason: 'InvalidToken' })
      }),
      { seed: 7, numRuns: 1000 },
    )
  })
})

test('a fingerprint names a token by twelve digits', () => {
  expect(tokenFingerprint('abc')).toBe('ba7816bf8f01')
})
