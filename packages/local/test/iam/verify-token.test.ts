import { TOKEN_VECTORS, WRONG_SIGNATURE } from '@aurora-iam/test-support/token-vectors'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createPrincipal, Principals } from '../../src/iam/principals.ts'
import { tokenFingerprint, verifyToken } from '../../src/iam/verify-token.ts'
import {
  hostname,
  LIFETIME,
  login,
  longLived,
  MINUTE,
  principals,
  SIGNED_AT,
  sign,
  verify,
} from '../fixtures/tokens.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('tokens that must be accepted', () => {
  test.each(TOKEN_VECTORS)('the vector of $id: accepted', async (vector) => {
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

  test('parameters in another order, as other SDKs write them: accepted', async () => {
    const [endpoint, query] = (await sign()).split('/?') as [string, string]
    fc.assert(
      fc.property(fc.shuffledSubarray(query.split('&'), { minLength: 9 }), (parameters) => {
        expect(verify(`${endpoint}/?${parameters.join('&')}`)).toMatchObject({ accepted: true })
      }),
      { seed: 1, numRuns: 50 },
    )
  })

  test('a host name that was signed in upper case: accepted', async () => {
    const token = await sign({ hostname: hostname.toUpperCase() })
    expect(verify(token)).toMatchObject({ accepted: true, hostname })
  })

  test('invented credentials, as long as those of real roles: accepted', async () => {
    const made = createPrincipal()
    const token = await sign({ credentials: made })
    expect(token.length).toBeGreaterThan(1024)
    expect(verifyToken(token, login, new Principals([made]), SIGNED_AT, LIFETIME)).toMatchObject({
      accepted: true,
    })
    expect(createPrincipal().accessKeyId).not.toBe(made.accessKeyId)
  })

  test('a token just before its expiry, or from a clock that is 5 minutes fast: accepted', async () => {
    const token = await sign()
    expect(verify(token, SIGNED_AT + LIFETIME - 1)).toMatchObject({ accepted: true })
    expect(verify(token, SIGNED_AT - 5 * MINUTE)).toMatchObject({ accepted: true })
  })

  test('a user whose name needs encoding: accepted', async () => {
    const username = "ünï'cødé (50%) & co/@*"
    expect(verify(await sign({ username }), SIGNED_AT, { username })).toMatchObject({ accepted: true })
  })
})

describe('tokens that must be refused', () => {
  test('a signature over more than the host header: rejected', async () => {
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

  test('an access key that was deleted: rejected from then on', async () => {
    const known = new Principals([longLived])
    const token = await sign({ credentials: longLived })
    expect(verifyToken(token, login, known, SIGNED_AT, LIFETIME)).toMatchObject({ accepted: true })
    known.remove(longLived.accessKeyId)
    expect(verifyToken(token, login, known, SIGNED_AT, LIFETIME)).toMatchObject({
      reason: 'InvalidToken',
      detail: expect.stringContaining('is unknown here'),
    })
  })

  test('a shorter lifetime at the server: it counts', async () => {
    const token = await sign()
    expect(verifyToken(token, login, principals, SIGNED_AT + 1000, 1000)).toMatchObject({
      reason: 'ExpiredToken',
    })
  })

  test('a good token with one character replaced, removed or added: rejected', async () => {
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

  test('any other text: rejected, without an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        expect(verify(text)).toMatchObject({ accepted: false, reason: 'InvalidToken' })
      }),
      { seed: 7, numRuns: 1000 },
    )
  })
})

test('a fingerprint: it names a token by twelve digits', () => {
  expect(tokenFingerprint('abc')).toBe('ba7816bf8f01')
})
