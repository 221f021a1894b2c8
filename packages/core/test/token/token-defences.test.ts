import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { recordEvents } from '@aurora-iam/test-support/record-events'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, test } from 'vitest'
import { createAuroraIam, type TokenEvent, type TokenFailedEvent } from '../../src/index.ts'
import { readTokenDates } from '../../src/token/auth-token.ts'
import { Clock, iamOn, MINUTE, settle, TARGET } from '../support.ts'

/** Creates an AuroraIam whose static credentials expire `lifetimeMs` after the start of the clock. */
function iamFor(clock: Clock, lifetimeMs: number) {
  return iamOn(clock, { credentials: { ...STATIC, expiration: new Date(clock.now + lifetimeMs) } })
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
    expect(iam.stats().tokensSigned).toBe(1)
  })

  test('a token that expires too soon: the error names the option that it came from', async () => {
    const clock = new Clock()
    const provider = () =>
      'db:3306/?Action=connect&X-Amz-Date=20261123T110000Z&X-Amz-Expires=900&X-Amz-Signature=0'
    const provided = iamOn(clock, { tokenProvider: provider })
    expect(await rejectionOf(provided.token(TARGET))).toMatchObject({
      code: 'ERR_AURORA_IAM_TOKEN_FAILED',
      option: 'tokenProvider',
    })
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
