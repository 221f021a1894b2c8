import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Clock, Deferred, iamOn, MINUTE, START, settle, TARGET, warningsOf } from '../support.ts'

const LIFE = 15 * MINUTE

/** Credentials that are replaced by others `lifeMs` after they were first given out. */
function rotating(clock: Clock, lifeMs: number) {
  let generation = 0
  let expiresMs = Number.NEGATIVE_INFINITY
  return async () => {
    if (clock.now >= expiresMs) {
      generation++
      expiresMs = clock.now + lifeMs
    }
    return { ...STATIC, accessKeyId: `AKID${generation}`, expiration: new Date(expiresMs) }
  }
}

describe('one signing', () => {
  test('500 callers: one call of the provider, one token', async () => {
    const answer = new Deferred<typeof STATIC>()
    const iam = iamOn(new Clock(), { credentials: () => answer.promise })
    const waiters = Array.from({ length: 500 }, () => iam.token(TARGET))
    answer.resolve(STATIC)
    expect(new Set(await Promise.all(waiters)).size).toBe(1)
    expect(iam.stats()).toMatchObject({ tokensSigned: 1, credentialsResolved: 1 })
  })

  test('500 users: one call of the provider, a token each, and no warning', async () => {
    const iam = iamOn(new Clock())
    const warnings = await warningsOf(async () => {
      const users = Array.from({ length: 500 }, (_, index) =>
        iam.token({ ...TARGET, username: `user${index}` }),
      )
      expect(new Set((await Promise.all(users)).map(({ value }) => value)).size).toBe(500)
    })
    expect(iam.stats()).toMatchObject({ tokensSigned: 500, credentialsResolved: 1 })
    expect(warnings).toEqual([])
  })

  test('another host, port, user or Region: another token', async () => {
    const iam = iamOn(new Clock())
    const reader = TARGET.hostname.replace('cluster-', 'cluster-ro-')
    const targets = [
      TARGET,
      { ...TARGET, hostname: reader },
      { ...TARGET, port: 3307 },
      { ...TARGET, username: 'App' },
    ]
    await Promise.all([...targets, ...targets].map((target) => iam.token(target)))
    expect(iam.stats().tokensSigned).toBe(4)
  })
})

describe('cache', () => {
  test('one token: used until its last minutes, then replaced in the background', async () => {
    const clock = new Clock()
    const iam = iamOn(clock)
    const first = await iam.token(TARGET)
    expect(first.expiresAt).toEqual(new Date(START + LIFE))

    clock.now = START + LIFE - 2 * MINUTE - 1
    expect(await iam.token(TARGET)).toBe(first)
    await settle()
    expect(iam.stats().tokensSigned).toBe(1)

    clock.now += 1
    expect(await iam.token(TARGET)).toBe(first)
    await settle()
    expect(await iam.token(TARGET)).not.toBe(first)
    expect(iam.stats().tokensSigned).toBe(2)
  })

  test('refreshBeforeMs: it moves the replacement', async () => {
    const clock = new Clock()
    const iam = iamOn(clock, { refreshBeforeMs: 5 * MINUTE })
    await iam.token(TARGET)
    clock.now = START + 10 * MINUTE
    await iam.token(TARGET)
    await settle()
    expect(iam.stats().tokensSigned).toBe(2)
  })

  test('a token in its last five seconds is not served: it may be too old when it arrives', async () => {
    const clock = new Clock()
    const iam = iamOn(clock)
    const first = await iam.token(TARGET)
    clock.now = START + LIFE - 5_001
    expect(await iam.token(TARGET)).toBe(first)
    clock.now = START + LIFE - 5_000
    await settle()
    const fresh = iamOn(clock)
    expect((await fresh.token(TARGET)).value).not.toBe(first.value)
    expect(await iam.token(TARGET)).not.toBe(first)
  })

  test('credentials that expire first: the token expires with them, and newer ones are found', async () => {
    const clock = new Clock()
    const iam = iamOn(clock, { credentials: rotating(clock, 4 * MINUTE) })
    const first = await iam.token(TARGET)
    expect(first.expiresAt).toEqual(new Date(START + 4 * MINUTE))
    clock.now = START + 4 * MINUTE
    const second = await iam.token(TARGET)
    expect(second.value).toContain('AKID2')
    expect(second.expiresAt).toEqual(new Date(clock.now + 4 * MINUTE))
  })

  test('a provider that renews in the last seconds: called for it, though it answered a moment ago', async () => {
    const clock = new Clock()
    let expiration = new Date(START + 20_000)
    const iam = iamOn(clock, { credentials: async () => ({ ...STATIC, expiration }) })
    await iam.token(TARGET)
    clock.now = START + 15_000
    expiration = new Date(START + 60 * MINUTE)
    expect((await iam.token(TARGET)).expiresAt).toEqual(new Date(clock.now + LIFE))
  })

  test('a clock that was set back: a new token, as the database rejects one from the future', async () => {
    const clock = new Clock()
    const iam = iamOn(clock)
    const first = await iam.token(TARGET)
    clock.now = START - MINUTE
    const second = await iam.token(TARGET)
    expect(second).not.toBe(first)
    expect(second.expiresAt).toEqual(new Date(clock.now + LIFE))
  })

  test('another identity: the tokens of the former are void at every endpoint', async () => {
    const clock = new Clock()
    const iam = iamOn(clock, { credentials: rotating(clock, 5 * MINUTE) })
    const old = await iam.token(TARGET)
    clock.now = START + 5 * MINUTE
    await iam.token({ ...TARGET, username: 'other' })
    const fresh = await iam.token(TARGET)
    expect(fresh).not.toBe(old)
    expect(fresh.value).toContain('AKID2')
  })
})

test('any instant of any day with rotating credentials: no token is returned that the database would reject', async () => {
  const minutes = (from: number, to: number) => fc.integer({ min: from * MINUTE, max: to * MINUTE })
  await fc.assert(
    fc.asyncProperty(
      minutes(2, 90),
      fc.array(fc.oneof(minutes(0, 1), minutes(0, 20), minutes(0, 120)), { minLength: 20, maxLength: 60 }),
      fc.boolean(),
      async (lifeMs, steps, isForceable) => {
        const clock = new Clock()
        const ends = new Map<string, number>()
        let given = { ...STATIC, expiration: new Date(0) }
        const credentials = async (options?: { forceRefresh?: boolean }) => {
          const isDue = given.expiration.getTime() <= clock.now + 5_000
          if (isDue || (isForceable && options?.forceRefresh)) {
            given = { ...STATIC, accessKeyId: `AKID${ends.size}`, expiration: new Date(clock.now + lifeMs) }
            ends.set(given.accessKeyId, clock.now + lifeMs)
          }
          return given
        }
        const iam = iamOn(clock, { credentials })
        for (const step of steps) {
          clock.now += step
          const { value, expiresAt } = await iam.token(TARGET)
          const query = new URL(`mysql://${value}`).searchParams
          const signedAt = query
            .get('X-Amz-Date')!
            .replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z')
          const accessKeyId = query.get('X-Amz-Credential')!.split('/')[0]!
          const end = Math.min(Date.parse(signedAt) + LIFE, ends.get(accessKeyId)!)
          expect(expiresAt.getTime()).toBe(end)
          expect(clock.now).toBeLessThan(end)
          expect(clock.now).toBeGreaterThanOrEqual(Date.parse(signedAt))
          await settle()
        }
      },
    ),
    { seed: 20_261_123, numRuns: 40 },
  )
})

describe('renewal in the background', () => {
  test('a provider that fails: no error while the token is valid, an error afterwards', async () => {
    const clock = new Clock()
    let isUp = true
    const iam = iamOn(clock, {
      credentials: async () => {
        if (!isUp) throw new Error('the source is down')
        return STATIC
      },
    })
    const first = await iam.token(TARGET)
    isUp = false
    for (let now = START + LIFE - 2 * MINUTE; now < START + LIFE - 5_000; now += 5_000) {
      clock.now = now
      expect(await iam.token(TARGET)).toBe(first)
      await settle()
    }
    clock.now = START + LIFE - 5_000
    expect(await rejectionOf(iam.token(TARGET))).toMatchObject({
      code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE',
    })
    isUp = true
    expect(await iam.token(TARGET)).not.toBe(first)
  })

  test('many callers during a failure: one attempt in ten seconds', async () => {
    const clock = new Clock()
    let questions = 0
    const iam = iamOn(clock, {
      credentials: async () => {
        questions++
        if (questions > 1) throw new Error('the source is down')
        return STATIC
      },
    })
    await iam.token(TARGET)
    clock.now = START + LIFE - 2 * MINUTE
    for (let ms = 0; ms < 30_000; ms += 500) {
      await Promise.all([iam.token(TARGET), iam.token(TARGET)])
      await settle()
      clock.now += 500
    }
    expect(questions).toBe(1 + 3)
  })

  test('a provider that hangs: no error while the token is valid', async () => {
    const clock = new Clock()
    const hang = new Deferred<typeof STATIC>()
    let questions = 0
    const iam = iamOn(clock, {
      credentials: () => (questions++ === 0 ? Promise.resolve(STATIC) : hang.promise),
    })
    const first = await iam.token(TARGET)
    clock.now = START + LIFE - MINUTE
    expect(await iam.token(TARGET)).toBe(first)
    hang.resolve(STATIC)
    await settle()
    expect(await iam.token(TARGET)).not.toBe(first)
  })
})

test('a failure is never cached: the next caller asks again', async () => {
  let questions = 0
  const iam = iamOn(new Clock(), {
    credentials: async () => {
      if (questions++ === 0) throw new Error('not yet')
      return STATIC
    },
  })
  const [one, two] = await Promise.allSettled([iam.token(TARGET), iam.token(TARGET)])
  expect([one.status, two.status]).toEqual(['rejected', 'rejected'])
  expect((await iam.token(TARGET)).value).toContain('AKIDEXAMPLE')
  expect(questions).toBe(2)
})
