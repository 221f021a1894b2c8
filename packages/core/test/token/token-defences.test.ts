import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { recordEvents } from '@aurora-iam/test-support/record-events'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, test } from 'vitest'
import { CredentialCache } from '../../src/credentials/credential-cache.ts'
import { AuthToken, createAuroraIam, type TokenEvent, type TokenFailedEvent } from '../../src/index.ts'
import { readTokenDates } from '../../src/token/auth-token.ts'
import { TokenCache } from '../../src/token/token-cache.ts'
import { signingTokenSource } from '../../src/token/token-source.ts'
import { Clock, iamOn, MINUTE, START, settle, TARGET } from '../support.ts'

/** Creates an AuroraIam whose static credentials expire `lifetimeMs` after the start of the clock. */
function iamFor(clock: Clock, lifetimeMs: number) {
  return iamOn(clock, { credentials: { ...STATIC, expiration: new Date(clock.now + lifetimeMs) } })
}

const ADDRESS = { host: TARGET.hostname, port: TARGET.port, user: TARGET.username }

/** Creates a cache of signed tokens, and a target. */
function cacheOn(clock: Clock) {
  const target = iamOn(clock).resolve(ADDRESS)
  const value = async () => (await iamOn(clock).token(TARGET)).value
  const issued = { identity: 'AKID', credentialsExpireMs: Number.POSITIVE_INFINITY, expiresMs: undefined }
  const cache = new TokenCache({
    issue: async () => ({ ...issued, value: await value() }),
    identity: () => 'AKID',
    refreshBeforeMs: MINUTE,
    clock: clock.read,
  })
  return { cache, target }
}

describe('tokens, where only mutation testing found no test', () => {
  test('a token whose last parameter is its lifetime: its dates are read', () => {
    const token = 'db:3306/?Action=connect&X-Amz-Date=20261123T120000Z&X-Amz-Expires=900'
    const start = Date.parse('2026-11-23T12:00:00Z')
    expect(readTokenDates(token)).toMatchObject({
      signedAt: new Date(start),
      expiresAt: new Date(start + 15 * MINUTE),
    })
  })

  test('tokens of two users: the second does not evict the first', async () => {
    const clock = new Clock()
    const iam = iamOn(clock)
    const first = await iam.token(TARGET)
    await iam.token({ ...TARGET, username: 'other' })
    clock.now += MINUTE
    expect((await iam.token(TARGET)).value).toBe(first.value)
    expect(iam.stats().tokensSigned).toBe(2)
  })

  test('a token that expires within refreshBeforeMs: the first refresh comes 10 seconds after its signing', async () => {
    const clock = new Clock()
    const iam = iamFor(clock, MINUTE)
    await iam.token(TARGET)
    clock.now += 9_999
    await iam.token(TARGET)
    await settle()
    expect(iam.stats().tokensSigned).toBe(1)
    clock.now += 1
    await iam.token(TARGET)
    await settle()
    expect(iam.stats().tokensSigned).toBe(2)
  })

  test('other credentials while the token is valid: a token of theirs, as the database may reject the former', async () => {
    const clock = new Clock()
    let accessKeyId = 'AKIDOLD'
    const iam = iamOn(clock, { credentials: async () => ({ ...STATIC, accessKeyId }) })
    expect((await iam.token(TARGET)).value).toContain('AKIDOLD')
    accessKeyId = 'AKIDNEW'
    clock.now += MINUTE
    // Another token finds out.
    await iam.token({ ...TARGET, username: 'other' })
    expect((await iam.token(TARGET)).value).toContain('AKIDNEW')
  })

  test('a token that is evicted: once, and the next caller gets a new one', async () => {
    const clock = new Clock()
    const { cache, target } = cacheOn(clock)
    const cached = await cache.renew(target)
    expect(cache.evict(target, cached)).toBe(true)
    expect(cache.evict(target, cached)).toBe(false)
    expect(cache.usable(target)).toBeUndefined()
    expect(await cache.renew(target)).not.toBe(cached)
  })

  test('a cache that is cleared: it has no tokens', async () => {
    const clock = new Clock()
    const { cache, target } = cacheOn(clock)
    await cache.renew(target)
    cache.clear()
    expect(cache.usable(target)).toBeUndefined()
  })

  test('a signer that fails: TOKEN_FAILED with the cause', async () => {
    const failure = new Error('no hash function')
    const limits = { timeoutMs: 1_000, signal: new AbortController().signal }
    const credentials = new CredentialCache({
      ...{ source: STATIC, profile: undefined, timeoutMs: 1_000 },
      ...{ closing: limits.signal, clock: () => START },
    })
    const sign = () => Promise.reject(failure)
    const source = signingTokenSource({ credentials, sign, profile: undefined, limits })
    expect(await rejectionOf(source(iamOn(new Clock()).resolve(ADDRESS)))).toMatchObject({
      code: 'ERR_AURORA_IAM_TOKEN_FAILED',
      cause: failure,
    })
  })

  test.each([
    [
      'tokenProvider',
      'ERR_AURORA_IAM_TOKEN_FAILED',
      (expiresAt: Date) => ({ tokenProvider: () => new AuthToken('opaque', expiresAt) }),
    ],
    [
      'credentials',
      'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE',
      (expiration: Date) => ({ credentials: { ...STATIC, expiration } }),
    ],
  ] as const)('a token that expires within 5 seconds: an error that names `%s`', async (option, code, of) => {
    const tokenOf = (ms: number) => iamOn(new Clock(), of(new Date(START + ms))).token(TARGET)
    expect(await rejectionOf(tokenOf(5_000))).toMatchObject({ code, option })
    expect((await tokenOf(5_001)).expiresAt).toEqual(new Date(START + 5_001))
  })

  test('a provider that returns no text: the message names its type', async () => {
    const of = async (value: unknown) => {
      const iam = createAuroraIam({ tokenProvider: () => value as string, rateLimit: false })
      return (await rejectionOf(iam.token(TARGET))).message
    }
    expect(await of('')).toContain('empty string')
    expect(await of(42)).toContain('a number')
    expect(await of(42)).not.toContain('empty string')
  })

  test('the token event: a duration between 0 and the time that passed', async () => {
    const events = recordEvents<TokenEvent>('aurora-iam:token')
    const startedAt = performance.now()
    await iamOn(new Clock()).token(TARGET)
    const passedMs = performance.now() - startedAt
    expect(events).toHaveLength(1)
    expect(events[0]?.durationMs).toBeGreaterThanOrEqual(0)
    expect(events[0]?.durationMs).toBeLessThanOrEqual(passedMs)
  })

  test('a refresh in the background that fails: an event, while callers still get the cached token', async () => {
    const events = recordEvents<TokenFailedEvent>('aurora-iam:token-failed')
    const clock = new Clock()
    let isUp = true
    const credentials = async () => {
      if (isUp) return STATIC
      throw new Error('down')
    }
    const iam = iamOn(clock, { credentials })
    const first = await iam.token(TARGET)
    isUp = false
    clock.now += 14 * MINUTE
    expect(await iam.token(TARGET)).toBe(first)
    await settle()
    expect(events).toMatchObject([
      { ...TARGET, region: 'eu-west-1', error: { code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE' } },
    ])
  })
})
