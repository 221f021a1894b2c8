import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, test } from 'vitest'
import { AuthToken, createAuroraIam } from '../src/index.ts'
import { setUp } from './set-up.ts'
import { Clock, Deferred, iamOn, MINUTE, START, settle, TARGET, warningsOf } from './support.ts'

const NEVER = new Date(START + 365 * 24 * 60 * MINUTE)

describe('tokenProvider', () => {
  test('an opaque token: the provider gets what to sign, and is called for every login', async () => {
    const asked: unknown[] = []
    const tokenProvider = (target: unknown) => `opaque${asked.push(target)}`
    const iam = iamOn(new Clock(), { tokenProvider })
    expect((await iam.token(TARGET)).value).toBe('opaque1')
    expect((await iam.token(TARGET)).value).toBe('opaque2')
    expect(asked[0]).toEqual({ ...TARGET, region: 'eu-west-1' })
  })

  test('an opaque token: one call of the provider for each login', async () => {
    let questions = 0
    const { iam, login } = setUp({ tokenProvider: () => `opaque${++questions}` })
    const first = await login()
    expect((await first.token()).value).toBe('opaque1')
    expect((await (await login()).token()).value).toBe('opaque2')
    expect(iam.stats().tokensSigned).toBe(2)
  })

  test('500 callers: a token each if it is opaque, and one for all if it has an expiry', async () => {
    const clock = new Clock()
    let isOpaque = true
    let questions = 0
    const iam = iamOn(clock, {
      tokenProvider: async () => {
        const value = `opaque${++questions}`
        return isOpaque ? value : new AuthToken(value, new Date(START + 5 * MINUTE))
      },
    })
    const valuesOf500 = async () => {
      const tokens = await Promise.all(Array.from({ length: 500 }, () => iam.token(TARGET)))
      return new Set(tokens.map(({ value }) => value))
    }
    expect((await valuesOf500()).size).toBe(500)
    isOpaque = false
    expect([...(await valuesOf500())]).toEqual(['opaque501'])
    expect(questions).toBe(501)
  })

  test('an opaque token while the provider fails: not every waiting caller asks for it', async () => {
    const answer = new Deferred<string>()
    let questions = 0
    const iam = iamOn(new Clock(), {
      tokenProvider: () => {
        questions++
        return answer.promise
      },
    })
    const waiters = Array.from({ length: 500 }, () => rejectionOf(iam.token(TARGET)))
    await settle()
    answer.reject(new Error('sealed'))
    for (const error of await Promise.all(waiters)) expect(error.code).toBe('ERR_AURORA_IAM_TOKEN_FAILED')
    expect(questions).toBe(1)
  })

  test('a token with an expiry, or an AuthToken: cached until then', async () => {
    const clock = new Clock()
    let questions = 0
    const signed = await iamOn(clock).token(TARGET)
    const answers = [signed.value, new AuthToken('opaque', new Date(START + 5 * MINUTE))]
    for (const answer of answers) {
      clock.now = START
      questions = 0
      const iam = iamOn(clock, {
        tokenProvider: () => {
          questions++
          return answer
        },
      })
      const { expiresAt } = await iam.token(TARGET)
      clock.now = expiresAt.getTime() - 3 * MINUTE
      await iam.token(TARGET)
      expect(questions).toBe(1)
    }
  })

  test.each([
    [5, 5],
    [60, 15],
  ])('an AuthToken of %d minutes whose string expires in 15: it expires in %d', async (minutes, expected) => {
    const { value } = await iamOn(new Clock()).token(TARGET)
    const answer = new AuthToken(value, new Date(START + minutes * MINUTE))
    const { expiresAt } = await iamOn(new Clock(), { tokenProvider: () => answer }).token(TARGET)
    expect(expiresAt).toEqual(new Date(START + expected * MINUTE))
  })

  test('a string that was signed a minute ago: valid for a clock that is set back by less', async () => {
    const clock = new Clock()
    const { value } = await iamOn(clock).token(TARGET)
    const { iam, target } = setUp({ tokenProvider: () => value }, clock)
    clock.now += MINUTE
    const token = await iam.token(target)
    clock.now -= MINUTE / 2
    expect(await iam.token(target)).toBe(token)
  })

  test('500 users at once: no warning', async () => {
    const iam = iamOn(new Clock(), { tokenProvider: async () => 'opaque' })
    const users = Array.from({ length: 500 }, (_, index) => ({ ...TARGET, username: `user${index}` }))
    expect(await warningsOf(() => Promise.all(users.map((user) => iam.token(user))))).toEqual([])
  })

  test.each([
    ['nothing', undefined],
    ['an empty string', ''],
    ['a number', 7],
    ['an object', { token: 'hunter2' }],
    ['a token that has ended', new AuthToken('hunter2', new Date(START))],
    ['a token with no valid end', new AuthToken('hunter2', new Date(Number.NaN))],
    ['a token with no end', new AuthToken('hunter2', undefined as never)],
    ['a token whose end is a string', new AuthToken('hunter2', '2030-01-01' as never)],
    ['a token of nothing', new AuthToken(undefined as never, NEVER)],
    ['a token of an empty string', new AuthToken('', NEVER)],
    ['a token of a number', new AuthToken(7 as never, NEVER)],
    ['a token of an object', new AuthToken({ token: 'hunter2' } as never, NEVER)],
  ])('%s: not a token', async (_what, answer) => {
    const iam = iamOn(new Clock(), { tokenProvider: () => answer as never })
    const error = await rejectionOf(iam.token(TARGET))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_TOKEN_FAILED', retryable: true })
    expect(error.message).toContain('tokenProvider')
    expect(error.message).not.toContain('hunter2')
  })

  test('a provider that throws: its error is the cause, without the token that it may repeat', async () => {
    const { value } = await iamOn(new Clock()).token(TARGET)
    const signature = value.match(/X-Amz-Signature=(\w+)/)?.[1] as string
    const cause = new Error(`could not store ${value}`)
    const iam = iamOn(new Clock(), {
      tokenProvider: () => {
        throw cause
      },
    })
    const error = await rejectionOf(iam.token(TARGET))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_TOKEN_FAILED', cause })
    expect(error.message).not.toContain(signature)
  })

  test('a result that cannot be read: not a token, and what reading threw is the cause', async () => {
    const cause = new Error('sealed')
    const expiresAt = Object.assign(new Date(START), {
      getTime: () => {
        throw cause
      },
    })
    const iam = iamOn(new Clock(), { tokenProvider: () => new AuthToken('hunter2', expiresAt) })
    expect(await rejectionOf(iam.token(TARGET))).toMatchObject({ code: 'ERR_AURORA_IAM_TOKEN_FAILED', cause })
  })

  test('an Error whose message is not a string: kept as the cause', async () => {
    const cause = Object.assign(new Error(), { message: { detail: 'sealed' } })
    const iam = iamOn(new Clock(), { tokenProvider: () => Promise.reject(cause) })
    const error = await rejectionOf(iam.token(TARGET))
    expect(error.code).toBe('ERR_AURORA_IAM_TOKEN_FAILED')
    expect(error.message).toBe('No token: tokenProvider failed.')
    expect(error.cause).toBe(cause)
  })

  test('a provider that hangs: an error in bounded time', async () => {
    const iam = createAuroraIam({ tokenProvider: () => new Promise(() => {}), credentialsTimeoutMs: 20 })
    expect(await rejectionOf(iam.token(TARGET))).toMatchObject({
      code: 'ERR_AURORA_IAM_TOKEN_FAILED',
      message: expect.stringContaining('20 ms'),
    })
  })
})
