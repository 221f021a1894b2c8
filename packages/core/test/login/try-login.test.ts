import { createRateLimiter } from '@aurora-iam/rate-limit'
import { expect, test } from 'vitest'
import { inBackground } from '../../src/permit/lane.ts'
import { setUp } from '../set-up.ts'
import { callersLimiter, MINUTE } from '../support.ts'

test('a cached token and a free permit: a login without a wait', async () => {
  const { iam, target } = setUp({ rateLimit: 2 })
  expect(iam.tryLogin(target)).toBeUndefined()
  ;(await iam.login(target)).succeed()
  const login = iam.tryLogin(target)
  expect((await login?.token())?.value).toContain('X-Amz-Signature')
  login?.succeed()
  expect(iam.stats()).toMatchObject({ connectionsOpened: 2, connectionsFailed: 0, tokensSigned: 1 })
  // Both permits cool down.
  expect(iam.tryLogin(target)).toBeUndefined()
})

test('a background call: it leaves one permit for the next request', async () => {
  const { iam, target } = setUp({ rateLimit: 2 })
  await iam.token(target)
  // Its limiter is created by the first login.
  expect(iam.tryLogin(target)).toBeUndefined()
  ;(await iam.login(target)).cancel()
  await inBackground(async () => {
    expect(iam.tryLogin(target)).toBeDefined()
    expect(iam.tryLogin(target)).toBeUndefined()
  })
  expect(iam.tryLogin(target)).toBeDefined()
})

test('no limiter: a login without a permit, to the address of its target', async () => {
  const { iam, target } = setUp({ rateLimit: false })
  const { value } = await iam.token(target)
  const login = iam.tryLogin(target)
  expect([login?.permitId, login?.dial()]).toEqual([undefined, { host: target.hostname, port: 3306 }])
  expect((await login?.token())?.value).toBe(value)
  expect(iam.tryLogin(target)).toBeDefined()
})

test('a token that has expired, an address that is suspect, and a closed AuroraIam: none', async () => {
  const { iam, target, clock } = setUp({ rateLimit: 20 })
  ;(await iam.login(target)).succeed()
  clock.now += 15 * MINUTE
  expect(iam.tryLogin(target)).toBeUndefined()
  await iam.token(target)
  const silent = iam.tryLogin(target)
  silent?.trackConnect()
  silent?.fail(Object.assign(new Error('connect ECONNREFUSED'), { errno: -111 }))
  expect(iam.tryLogin(target)).toBeUndefined()
  iam.close()
  expect(iam.tryLogin(target)).toBeUndefined()
})

test('an address that a function decides, and a limiter that cannot tell: none', async () => {
  const dialled = setUp({ dial: () => ({ host: '127.0.0.1', port: 3306 }) })
  await dialled.iam.token(dialled.target)
  expect(dialled.iam.tryLogin(dialled.target)).toBeUndefined()
  const limiter = createRateLimiter({ limit: 20 })
  const own = setUp({ rateLimit: callersLimiter((options) => limiter.acquire(options)) })
  ;(await own.iam.login(own.target)).succeed()
  expect(own.iam.tryLogin(own.target)).toBeUndefined()
})

test('a database that may be paused, and a writer that was demoted: none', async () => {
  const paused = setUp({ resumeTimeoutMs: 60_000 })
  await paused.iam.token(paused.target)
  expect(paused.iam.tryLogin(paused.target)).toBeUndefined()
  const { iam, target } = setUp()
  await iam.token(target)
  expect(iam.tryLogin(target)).toBeDefined()
  const pool = iam.poolLifetime(target, { remoteAddress: () => '10.0.0.1', close: () => {} })
  const connection = {}
  pool.opened(connection)
  pool.failed(connection, { errno: 1290, message: 'running with the --read-only option' })
  expect(iam.tryLogin(target)).toBeUndefined()
  iam.close()
})

test('a Region of the environment: each token is for the one that is set', async () => {
  const { iam } = setUp({ tokenProvider: ({ region }) => `token-for-${region}` })
  const target = { hostname: 'db.example.com', port: 3306, username: 'app' }
  const before = process.env.AWS_REGION
  try {
    process.env.AWS_REGION = 'eu-west-1'
    expect((await iam.token(target)).value).toBe('token-for-eu-west-1')
    process.env.AWS_REGION = 'eu-north-1'
    expect((await iam.token(target)).value).toBe('token-for-eu-north-1')
  } finally {
    if (before === undefined) delete process.env.AWS_REGION
    else process.env.AWS_REGION = before
  }
})
