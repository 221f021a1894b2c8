import { inspect } from 'node:util'
import { SECRET, SESSION, STATIC } from '@aurora-iam/test-support/example-credentials'
import { errorThrownBy, rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, test } from 'vitest'
import { readCredentials } from '../../src/credentials/resolved-credentials.ts'
import { type AuroraIamOptions, createAuroraIam } from '../../src/index.ts'
import { setUp } from '../set-up.ts'
import { Clock, Deferred, iamOn, MINUTE, START, TARGET } from '../support.ts'

type Source = NonNullable<AuroraIamOptions['credentials']>

const NONSENSE: ReadonlyArray<readonly [what: string, answer: unknown, message: RegExp]> = [
  ['nothing', undefined, /are undefined/],
  ['null', null, /are null/],
  ['a string', SECRET, /are a string/],
  ['a number', 7, /are a number/],
  ['an empty object', {}, /no accessKeyId/],
  ['an empty access key id', { ...STATIC, accessKeyId: '' }, /no accessKeyId/],
  ['an access key id that is no string', { ...STATIC, accessKeyId: [SECRET] }, /no accessKeyId/],
  ['no secret key', { accessKeyId: 'AKID', sessionToken: SESSION }, /no secretAccessKey/],
  ['a session token that is no string', { ...STATIC, sessionToken: { SESSION } }, /sessionToken/],
  ['a date as a string', { ...STATIC, expiration: '2030-01-01T00:00:00Z' }, /expiration.*valid Date/],
  ['a date as a number', { ...STATIC, expiration: START }, /expiration.*valid Date/],
  ['no valid date', { ...STATIC, expiration: new Date(Number.NaN) }, /expiration.*valid Date/],
  ['an end in the past', { ...STATIC, expiration: new Date(START - 1) }, /expired at.*aws sso login.*clock/],
  ['an end this very moment', { ...STATIC, expiration: new Date(START) }, /expired at/],
]

describe('a provider with invalid responses', () => {
  test.each(NONSENSE)(
    '%s: CREDENTIALS_INVALID, nothing secret shown, usable afterwards',
    async (_what, answer, message) => {
      let next: unknown = answer
      const iam = iamOn(new Clock(), { credentials: (async () => next) as Source })
      const error = await rejectionOf(iam.token(TARGET))
      expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_INVALID', option: 'credentials' })
      expect(error.message).toMatch(message)
      // The reason itself, with a remedy only where one is known.
      expect(error.message).not.toMatch(/cannot be read| undefined\.$/)
      expect(error.message.includes('environment variable')).toBe(error.message.includes('it is undefined'))
      const shown = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)
      expect(shown).not.toContain(SECRET)
      expect(shown).not.toContain(SESSION)
      next = STATIC
      expect((await iam.token(TARGET)).value).toContain('AKIDEXAMPLE')
    },
  )

  test('a provider that caches: the refresh is forced', async () => {
    let next: unknown = { ...STATIC, expiration: new Date(Number.NaN) }
    let remembered: unknown
    const credentials = (async (options?: { forceRefresh?: boolean }) => {
      if (options?.forceRefresh || !remembered) remembered = next
      return remembered
    }) as Source
    const clock = new Clock()
    const iam = iamOn(clock, { credentials })
    await rejectionOf(iam.token(TARGET))
    next = STATIC
    expect((await iam.token(TARGET)).value).toContain('AKIDEXAMPLE')
    expect(iam.stats().credentialsResolved).toBe(2)
    // From then on the provider's own cache serves again.
    next = { ...STATIC, accessKeyId: 'AKIDOTHER' }
    clock.now += MINUTE
    expect((await iam.token({ ...TARGET, username: 'other' })).value).toContain('AKIDEXAMPLE')
  })

  test.each([
    ['half a key', { accessKeyId: 'AKID' }, /no secretAccessKey: it is undefined. .*environment variable/],
    [
      'an unset variable',
      { ...STATIC, accessKeyId: undefined },
      /no accessKeyId: it is undefined. .*environment/,
    ],
    [
      'a temporary key without its token',
      { ...STATIC, accessKeyId: 'ASIAEXAMPLE', sessionToken: undefined },
      /ASIA.*AWS_SESSION_TOKEN/,
    ],
    ['those of SDK 2', { ...STATIC, expired: false, expireTime: new Date(START) }, /AWS SDK 2/],
    [
      'a class of SDK 2',
      new (class {
        accessKeyId = 'AKID'
        needsRefresh() {}
      })(),
      /AWS SDK 2/,
    ],
  ])('an object instead of a function, %s: refused before any login', (_what, credentials, message) => {
    const error = errorThrownBy(() => iamOn(new Clock(), { credentials: credentials as never }))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_INVALID', option: 'credentials' })
    expect(error.message).toMatch(message)
  })
})

test('a long-lived key whose id has ASIA inside: it needs no session token', () => {
  const resolved = readCredentials({ accessKeyId: 'AKIAASIAEXAMPLE', secretAccessKey: SECRET })
  expect(resolved).toMatchObject({ identity: 'AKIAASIAEXAMPLE', isTemporary: false })
})

describe('a session token on Object.prototype', () => {
  const read = (answer: object) => {
    Object.defineProperty(Object.prototype, 'sessionToken', { value: SESSION, configurable: true })
    try {
      return readCredentials(answer).credentials.sessionToken
    } finally {
      delete (Object.prototype as { sessionToken?: string }).sessionToken
    }
  }

  test('credentials without one: none is read', () => {
    const { accessKeyId, secretAccessKey } = STATIC
    expect(read({ accessKeyId, secretAccessKey })).toBeUndefined()
    expect(read(Object.assign(Object.create(null), { accessKeyId, secretAccessKey }))).toBeUndefined()
  })

  test('credentials with one, their own or of their class: that one is read', () => {
    expect(read({ ...STATIC, sessionToken: 'own' })).toBe('own')
    class Credentials {
      accessKeyId = STATIC.accessKeyId
      secretAccessKey = STATIC.secretAccessKey
      get sessionToken() {
        return 'of the class'
      }
    }
    expect(read(new Credentials())).toBe('of the class')
  })
})

describe('a provider whose answer cannot be read', () => {
  const failure = new Error('the vault is sealed')
  const fail = (thrown: unknown) => () => {
    throw thrown
  }
  const unreadable: ReadonlyArray<readonly [what: string, answer: unknown, cause: unknown]> = [
    ['a getter that throws', Object.defineProperty({}, 'accessKeyId', { get: fail(failure) }), failure],
    ['a getter that throws null', Object.defineProperty({}, 'accessKeyId', { get: fail(null) }), null],
    [
      'a Proxy that throws',
      new Proxy({}, { get: (_, name) => (name === 'then' ? undefined : fail(failure)()) }),
      failure,
    ],
    [
      'a Date that throws',
      { ...STATIC, expiration: Object.assign(new Date(), { getTime: fail(failure) }) },
      failure,
    ],
  ]

  test.each(unreadable)(
    '%s: CREDENTIALS_INVALID with the cause, an error object for each, usable afterwards',
    async (_what, answer, cause) => {
      let next: unknown = answer
      const { iam, login } = setUp({ credentials: (async () => next) as Source })
      const errors = await Promise.all([rejectionOf(login()), rejectionOf(login())])
      for (const error of errors) {
        expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_INVALID', option: 'credentials' })
        expect(error.cause).toBe(cause)
      }
      expect(errors[0]).not.toBe(errors[1])
      expect(iam.stats().lastError?.message).toBe(errors[0]!.message)
      next = STATIC
      expect((await login()).target.username).toBe('app')
    },
  )
})

describe('a provider that fails', () => {
  const failure = new Error('the vault is sealed')
  const mute = new Error('')
  const ways: ReadonlyArray<readonly [what: string, source: () => unknown, cause: unknown, shown: string]> = [
    ['rejecting', async () => Promise.reject(failure), failure, 'the vault is sealed'],
    [
      'throwing synchronously',
      () => {
        throw failure
      },
      failure,
      'the vault is sealed',
    ],
    ['rejecting with a string', () => Promise.reject('sealed'), 'sealed', 'no AWS credentials.'],
    ['rejecting with nothing', () => Promise.reject(), undefined, 'no AWS credentials.'],
    [
      'rejecting with an Error without message',
      async () => Promise.reject(mute),
      mute,
      'no AWS credentials.',
    ],
    ...[undefined, 42, { sealed: true }].map((message) => {
      const odd = Object.assign(new Error(), { message })
      return [
        `rejecting with an Error whose message is ${message}`,
        () => Promise.reject(odd),
        odd,
        'no AWS credentials.',
      ] as const
    }),
  ]

  test.each(ways)(
    '%s: CREDENTIALS_UNAVAILABLE with the cause, and back when it is',
    async (_what, source, cause, shown) => {
      let isUp = false
      const credentials = (() => (isUp ? STATIC : source())) as unknown as Source
      const iam = iamOn(new Clock(), { credentials })
      const error = await rejectionOf(iam.token(TARGET))
      expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE', retryable: true })
      expect(error.cause).toBe(cause)
      expect(error.message).toContain(shown)
      isUp = true
      expect((await iam.token(TARGET)).value).toContain('AKIDEXAMPLE')
    },
  )

  test('never settling: CREDENTIALS_TIMEOUT in bounded time, once for all callers', async () => {
    let questions = 0
    const credentials = () => {
      questions++
      return new Promise<never>(() => {})
    }
    const iam = createAuroraIam({ credentials, credentialsTimeoutMs: 30 })
    const errors = await Promise.all(Array.from({ length: 50 }, () => rejectionOf(iam.token(TARGET))))
    for (const { code } of errors) expect(code).toBe('ERR_AURORA_IAM_CREDENTIALS_TIMEOUT')
    expect(questions).toBe(1)
    await rejectionOf(iam.token(TARGET))
    expect(questions).toBe(2)
  })

  test('answering after the time was over: the answer is dropped, and nothing is left unhandled', async () => {
    const late = new Deferred<typeof STATIC>()
    const iam = createAuroraIam({ credentials: () => late.promise, credentialsTimeoutMs: 10 })
    await rejectionOf(iam.token(TARGET))
    late.reject(new Error('too late'))
    await new Promise(setImmediate)
  })
})

test('credentials in their last seconds: UNAVAILABLE, as a provider that renews them in time needs no fix', async () => {
  const clock = new Clock()
  let expiration = new Date(START + 5_000)
  const iam = iamOn(clock, { credentials: async () => ({ ...STATIC, expiration }) })
  const error = await rejectionOf(iam.token(TARGET))
  expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE', retryable: true })
  expect(error.message).toMatch(/expire at 2026-11-23T12:00:05.000Z.*no newer ones/)
  clock.now += 5_000
  expiration = new Date(START + 60 * MINUTE)
  expect((await iam.token(TARGET)).value).toContain('AKIDEXAMPLE')
})

describe('credentials in their last fifteen minutes', () => {
  const asked = (answers: (forced: boolean) => unknown) => {
    const questions: boolean[] = []
    const credentials = async (options?: { forceRefresh?: boolean }) => {
      questions.push(options?.forceRefresh === true)
      return answers(options?.forceRefresh === true) as typeof STATIC
    }
    return { questions, credentials }
  }
  const ending = (minutes: number) => ({ ...STATIC, expiration: new Date(START + minutes * MINUTE) })

  test('more than fifteen minutes left: no refresh is forced', async () => {
    const { questions, credentials } = asked(() => ending(15))
    await iamOn(new Clock(), { credentials }).token(TARGET)
    expect(questions).toEqual([false])
  })

  test('less than fifteen minutes left: a refresh is forced, and later credentials are used', async () => {
    const { questions, credentials } = asked((isForced) => ending(isForced ? 60 : 14))
    const { expiresAt } = await iamOn(new Clock(), { credentials }).token(TARGET)
    expect(questions).toEqual([false, true])
    expect(expiresAt).toEqual(new Date(START + 15 * MINUTE))
  })

  test.each([
    ['fails', () => Promise.reject(new Error('not yet'))],
    ['gives an invalid response', () => undefined],
    ['gives older ones', () => ending(1)],
    ['gives expired ones', () => ending(-1)],
  ])('a provider that %s: the cached credentials are used', async (_what, renew) => {
    const { questions, credentials } = asked((isForced) => (isForced ? renew() : ending(14)))
    const { expiresAt } = await iamOn(new Clock(), { credentials }).token(TARGET)
    expect(questions).toEqual([false, true])
    expect(expiresAt).toEqual(new Date(START + 14 * MINUTE))
  })

  test('credentials in their last minutes: requested once a minute, not with every token', async () => {
    const clock = new Clock()
    const { questions, credentials } = asked(() => ending(14))
    const iam = iamOn(clock, { credentials })
    for (let index = 0; index < 100; index++) await iam.token({ ...TARGET, username: `user${index}` })
    expect(questions).toHaveLength(2)
    clock.now += MINUTE
    await iam.token({ ...TARGET, username: 'another' })
    expect(questions).toHaveLength(4)
  })
})

test('a refresh that a rejected token forces, and that fails: the cached credentials serve until they expire', async () => {
  const clock = new Clock()
  const failure = new Error('the vault is sealed')
  let isUp = true
  const credentials = async () => {
    if (!isUp) throw failure
    return { ...STATIC, expiration: new Date(START + 20 * MINUTE) }
  }
  const { iam, login } = setUp({ credentials }, clock)
  const rejected = await login()
  await rejected.token()
  rejected.fail(Object.assign(new Error('Access denied'), { errno: 1045 }))
  isUp = false
  clock.now = START + 20 * MINUTE - 5_001
  expect((await iam.token(TARGET)).value).toContain('AKIDEXAMPLE')
  clock.now += 1
  expect(await rejectionOf(iam.token(TARGET))).toMatchObject({
    code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE',
    cause: failure,
  })
})

test('credentials that expire within a minute: requested again once they expire in transit', async () => {
  const clock = new Clock()
  const iam = iamOn(clock, { credentials: async () => ({ ...STATIC, expiration: new Date(START + MINUTE) }) })
  const questionsAt = async (username: string, nowMs: number) => {
    clock.now = nowMs
    const before = iam.stats().credentialsResolved
    await iam.token({ ...TARGET, username }).catch(() => {})
    return iam.stats().credentialsResolved - before
  }
  // Each answer is followed by a forced refresh, as it expires soon.
  expect(await questionsAt('one', START)).toBe(2)
  expect(await questionsAt('two', START + MINUTE - 5_001)).toBe(0)
  expect(await questionsAt('three', START + MINUTE - 5_000)).toBe(2)
})

test('tokens of two users are rejected: one forced refresh serves both', async () => {
  const refresh = new Deferred<typeof STATIC>()
  let refreshes = 0
  const credentials = async (options?: { forceRefresh?: boolean }) => {
    if (!options?.forceRefresh) return STATIC
    refreshes++
    return refresh.promise
  }
  const iam = iamOn(new Clock(), { credentials })
  const loginOf = async (user: string) => {
    const login = await iam.login(iam.resolve({ host: TARGET.hostname, port: 3306, user }))
    await login.token()
    return login
  }
  const logins = [await loginOf('one'), await loginOf('two')]
  const tokens = logins.map((login, index) => {
    login.fail(Object.assign(new Error('Access denied'), { errno: 1045 }))
    return iam.token({ ...TARGET, username: `next${index}` })
  })
  refresh.resolve({ ...STATIC, accessKeyId: 'AKIDNEXT' })
  for (const { value } of await Promise.all(tokens)) expect(value).toContain('AKIDNEXT')
  expect(refreshes).toBe(1)
})

test('the clock was set back after an answer: the answer does not count as recent', async () => {
  const clock = new Clock()
  const iam = iamOn(clock, { credentials: async () => STATIC })
  await iam.token(TARGET)
  await iam.token({ ...TARGET, username: 'another' })
  expect(iam.stats().credentialsResolved).toBe(1)
  clock.now -= 60 * MINUTE
  await iam.token(TARGET)
  expect(iam.stats().credentialsResolved).toBe(2)
})
