import { createRateLimiter, RateLimitError } from '@aurora-iam/rate-limit'
import { errorThrownBy, rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, test } from 'vitest'
import { EndpointLimiters } from '../../src/permit/endpoint-limiters.ts'
import { readRateLimitSettings } from '../../src/permit/rate-limit-settings.ts'
import { setUp } from '../set-up.ts'
import { callersLimiter } from '../support.ts'

const newTarget = () => setUp().target
const OPTIONS = { limit: 2, intervalMs: 1_000 }

test('the writer and the reader endpoint of a cluster: one limit, counted under both names; a custom endpoint: another', async () => {
  const target = newTarget()
  const writer = target.hostname
  const [reader, custom] = ['.cluster-ro-', '.cluster-custom-'].map((kind) =>
    writer.replace('.cluster-', kind),
  )
  const limiters = new EndpointLimiters(OPTIONS)
  for (const hostname of [writer, reader!, custom!])
    await limiters.limiterOf({ ...target, hostname })!.acquire()
  expect(limiters.stats()).toMatchObject({
    [`${writer}:3306`]: { granted: 2 },
    [`${reader}:3306`]: { granted: 2 },
    [`${custom}:3306`]: { granted: 1 },
  })
  expect(limiters.statsOf(`${custom}:3306`)).toMatchObject({ granted: 1 })
  expect(limiters.statsOf('other:3306')).toBeUndefined()
})

test('two names of a domain of the caller that look like those of one cluster: a limit each', () => {
  const limiters = new EndpointLimiters(OPTIONS)
  const [one, other] = ['.cluster-', '.cluster-ro-'].map((kind) => {
    return limiters.limiterOf({ ...newTarget(), hostname: `app${kind}west.example.com` })!
  })
  one!.lower(1)
  expect(other!.limit).toBe(2)
})

test('a limiter: created with the first login, and one for each endpoint from then on', () => {
  const limiters = new EndpointLimiters(OPTIONS)
  const [target, other] = [newTarget(), newTarget()]
  expect(limiters.knownLimiterOf(target)).toBeUndefined()
  const limiter = limiters.limiterOf(target)
  expect(limiters.knownLimiterOf(target)).toBe(limiter)
  expect(limiters.limiterOf(target)).toBe(limiter)
  expect(limiters.limiterOf(other)).not.toBe(limiter)
  expect(limiters.isOfCaller(limiter!)).toBe(false)
  expect(limiters.isUnlimited).toBe(false)
})

test('no limit: no limiter', () => {
  const limiters = new EndpointLimiters(false)
  expect(limiters.limiterOf(newTarget())).toBeUndefined()
  expect(limiters.isUnlimited).toBe(true)
  expect(limiters.stats()).toEqual({})
  limiters.close()
})

test('close(): each wait of these limiters ends, and none begins', async () => {
  const target = newTarget()
  const limiters = new EndpointLimiters({ limit: 1, intervalMs: 3_600_000 })
  const limiter = limiters.limiterOf(target)!
  await limiter.acquire()
  const waiting = rejectionOf(limiter.acquire())
  limiters.close()
  expect(await waiting).toMatchObject({ code: 'ERR_RATE_LIMIT_CLOSED' })
  expect(limiters.knownLimiterOf(target)).toBeUndefined()
  expect(errorThrownBy(() => limiters.limiterOf(target))).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
})

test("close(): the caller's limiter stays open", async () => {
  const limiter = createRateLimiter(OPTIONS)
  const limiters = new EndpointLimiters(limiter)
  expect(limiters.limiterOf(newTarget())).toBe(limiter)
  expect(limiters.isOfCaller(limiter)).toBe(true)
  limiters.close()
  await limiter.acquire()
})

test('a limit that another user of the endpoint contradicts: CONFLICTING_OPTIONS', () => {
  const target = newTarget()
  new EndpointLimiters(OPTIONS).limiterOf(target)
  const error = errorThrownBy(() => new EndpointLimiters({ limit: 2, intervalMs: 2_000 }).limiterOf(target))
  expect(error).toMatchObject({
    code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
    option: 'rateLimit',
    message: expect.stringContaining(`All users of ${target.hostname}:3306 share one limiter`),
  })
})

describe('an error of a limiter, for the user of an endpoint', () => {
  const limiters = new EndpointLimiters(OPTIONS)
  const { hostname } = newTarget()
  const explained = (error: unknown, of = limiters) => of.explain(error, { ...newTarget(), hostname })

  test.each([
    ['ERR_RATE_LIMIT_TIMEOUT', 'ERR_AURORA_IAM_RATE_LIMITED', { option: 'maxWaitMs', retryAfterMs: 700 }],
    ['ERR_RATE_LIMIT_QUEUE_FULL', 'ERR_AURORA_IAM_RATE_LIMITED', { option: 'maxWaitMs', retryAfterMs: 700 }],
    ['ERR_RATE_LIMIT_CLOSED', 'ERR_AURORA_IAM_CLOSED', {}],
    ['ERR_RATE_LIMIT_ABORTED', 'ERR_AURORA_IAM_ABORTED', {}],
    ['ERR_RATE_LIMIT_INVALID_OPTION', 'ERR_AURORA_IAM_CONFLICTING_OPTIONS', { option: 'rateLimit' }],
  ] as const)('%s: %s, with the error as its cause', (code, ours, details) => {
    const error = new RateLimitError(code, 'Its own words.', { retryAfterMs: 700 })
    expect(explained(error)).toMatchObject({ code: ours, cause: error, ...details })
  })

  test('the wait of a closed AuroraIam: CLOSED, whatever the limiter says', () => {
    const closed = new EndpointLimiters(OPTIONS)
    closed.close()
    const error = new RateLimitError('ERR_RATE_LIMIT_ABORTED', 'Its own words.')
    expect(explained(error, closed)).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED', cause: error })
  })

  test('any other error: unchanged', () => {
    const error = new Error('a fault of a limiter that the caller wrote')
    expect(explained(error)).toBe(error)
  })
})

describe('the settings of the limit', () => {
  test('no setting: the conservative preset, and half a minute', () => {
    const { choice, maxWaitMs } = readRateLimitSettings({})
    expect(choice).toMatchObject({ limit: expect.any(Number) })
    expect(maxWaitMs).toBe(30_000)
  })

  test.each([
    ['maxWaitMs', { maxWaitMs: 7 }, 7],
    ['maxWaitMs beside a limit', { rateLimit: 5, maxWaitMs: 7 }, 7],
    ['that of the limit', { rateLimit: { limit: 5, maxWaitMs: 7 } }, 7],
    ['0', { maxWaitMs: 0 }, 0],
    [
      "a limiter of the caller's, whose own is for its other users",
      {
        rateLimit: Object.assign(
          callersLimiter(async () => Promise.reject()),
          { maxWaitMs: 7 },
        ),
      },
      30_000,
    ],
    ['no limit', { rateLimit: false, maxWaitMs: 7 }, 7],
  ] as const)('the longest wait, %s: %o', (_what, settings, expected) => {
    expect(readRateLimitSettings(settings).maxWaitMs).toBe(expected)
  })

  test('two times: refused', () => {
    const settings = { maxWaitMs: 10, rateLimit: { limit: 1, maxWaitMs: 20 } }
    expect(errorThrownBy(() => readRateLimitSettings(settings))).toMatchObject({
      code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      option: 'maxWaitMs',
    })
  })

  test('a limiter that the caller wrote, and none: taken unchanged', () => {
    const limiter = callersLimiter(async () => {
      throw new Error('never called')
    })
    expect(readRateLimitSettings({ rateLimit: limiter }).choice).toBe(limiter)
    expect(readRateLimitSettings({ rateLimit: false }).choice).toBe(false)
  })

  test('an error that a getter of the caller throws: passed on unchanged', () => {
    const error = new Error('no configuration')
    const rateLimit = {
      get limit(): number {
        throw error
      },
    }
    expect(errorThrownBy(() => readRateLimitSettings({ rateLimit }))).toBe(error)
  })

  test.each([null, 'fast', {}, { acquire: true }])(
    '%o: refused, with the error of the limiter as the cause',
    (rateLimit) => {
      expect(errorThrownBy(() => readRateLimitSettings({ rateLimit: rateLimit as never }))).toMatchObject({
        code: 'ERR_AURORA_IAM_INVALID_OPTION',
        option: expect.stringMatching(/^rateLimit/),
        cause: expect.any(RateLimitError),
      })
    },
  )
})
