import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { SECRET, SESSION } from '@aurora-iam/test-support/example-credentials'
import { expect, test } from 'vitest'
import { readTokenDates } from '../src/adapter.ts'
import { AuthToken, createAuroraIam, redact } from '../src/index.ts'
import { Clock, iamOn, START, TARGET } from './support.ts'

const CHANNELS = ['token', 'connect', 'connect-failed'].map((name) => `aurora-iam:${name}`)

function printed(...values: unknown[]): string {
  return values
    .flatMap((value) => [
      inspect(value, { depth: 20 }),
      inspect(value, { depth: 20, showHidden: true }),
      JSON.stringify(value),
      String(value),
    ])
    .join('\n')
}

test('each step of a login: published, and no event, result or object shows a secret', async () => {
  const events: Array<readonly [name: string, event: Record<string, unknown>]> = []
  const listen = (event: unknown, name: string | symbol) =>
    events.push([String(name), event as Record<string, unknown>])
  for (const name of CHANNELS) subscribe(name, listen)
  const iam = iamOn(new Clock(), { rateLimit: 20 })
  const target = iam.resolve({ host: TARGET.hostname, port: TARGET.port, user: TARGET.username })
  const accepted = await iam.login(target)
  const token = await accepted.token()
  accepted.succeed()
  const refused = await iam.login(target)
  await refused.token()
  refused.fail(
    Object.assign(new Error(`refused ${token.value}`), { errno: 1045, code: 'ER_ACCESS_DENIED_ERROR' }),
  )
  for (const name of CHANNELS) unsubscribe(name, listen)

  const endpoint = { hostname: TARGET.hostname, port: TARGET.port, username: TARGET.username }
  const durationMs = expect.any(Number)
  expect(events).toMatchObject([
    ['aurora-iam:token', { ...endpoint, region: 'eu-west-1', durationMs }],
    ['aurora-iam:connect', { ...endpoint, durationMs }],
    ['aurora-iam:connect-failed', { ...endpoint, stage: 'login', durationMs, error: { errno: 1045 } }],
  ])

  const own = events.slice(0, 2).map(([, event]) => event)
  const text = printed(iam, token, accepted, refused, target, iam.stats(), ...own)
  const signature = /X-Amz-Signature=(\w+)/.exec(token.value)?.[1] as string
  for (const secret of [SECRET, SESSION, signature]) expect(text).not.toContain(secret)
})

test('a printed token: only its expiry', () => {
  const token = new AuthToken('hunter2', new Date(START))
  const text = 'AuthToken <redacted, expires 2026-11-23T12:00:00.000Z>'
  expect(inspect(token)).toBe(text)
  expect(`${token}`).toBe(text)
  expect(JSON.stringify({ token })).toBe('{"token":{"expiresAt":"2026-11-23T12:00:00.000Z"}}')
  expect({ ...token }).toEqual({ expiresAt: new Date(START) })
  expect(token.value).toBe('hunter2')
})

test('redact(): removes what is secret in a token from any text, and leaves the rest', async () => {
  const { value } = await iamOn(new Clock()).token(TARGET)
  const text = redact(
    `could not log in with "${value}" as app; url=mysql://app:${encodeURIComponent(value)}@db`,
  )
  expect(text).not.toContain(SESSION)
  expect(text).not.toMatch(/[0-9a-f]{64}/)
  expect(text).toContain('DBUser=app')
  expect(text).toContain('as app')
})

test('readTokenDates(): when a token was signed and when it expires', async () => {
  const { value } = await iamOn(new Clock()).token(TARGET)
  const dates = { signedAt: new Date(START), expiresAt: new Date(START + 900_000) }
  expect(readTokenDates(value)).toEqual(dates)
  for (const other of ['', 'opaque', value.replace('X-Amz-Date', 'Date'), value.replace('=900', '=soon')]) {
    expect(readTokenDates(other)).toBeUndefined()
  }
})

test('no subscriber and no login: the counts are zero', () => {
  expect(createAuroraIam().stats()).toEqual({
    tokensSigned: 0,
    credentialsResolved: 0,
    connectionsOpened: 0,
    connectionsFailed: 0,
    lastError: undefined,
    rateLimits: {},
    pools: [],
  })
})
