import { inspect } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { IamRefusal } from '../src/log/log-events.ts'
import { barred, LIFETIME, longLived, MINUTE, SIGNED_AT, sign, temporary, verify } from './fixtures/tokens.ts'

afterEach(() => {
  vi.useRealTimers()
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
  ['a fast clock', sign, 'InvalidToken', /is dated 301 s in the future.*clock is fast/, SIGNED_AT - 301_000],
  ['old age', sign, 'ExpiredToken', /900 s old .*good for 900 s/, SIGNED_AT + LIFETIME],
  [
    'an expiry that it chose',
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

describe('a bad token: rejected for its own fault', () => {
  for (const [kind, make, reason, detail, nowMs] of BAD)
    test(kind, async () => {
      const verdict = verify(await make(), nowMs)
      expect(verdict).toMatchObject({ accepted: false, reason, detail: expect.stringMatching(detail) })
    })
})

test('the reason of a rejection: never the token, its signature or a secret', async () => {
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
