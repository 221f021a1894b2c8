import { createAuroraIam } from '@aurora-iam/core'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { callbackErrorOf } from '@aurora-iam/test-support/rejection-of'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addressOf, unhandledDuring, VERSIONS } from './support.ts'

let aurora: LocalAurora

beforeAll(async () => {
  aurora = await startLocalAurora({ users: ['app', 'reporting'], throttle: false })
})

afterAll(() => aurora.close())

beforeEach(() => {
  aurora.faults.clear()
  aurora.setClock(Date.now)
  aurora.log.clear()
})

describe.each(VERSIONS)('changeUser of $name', ({ callbacks, promises }) => {
  test('another user: a token that is signed for this user', async () => {
    const iam = createAuroraIam({ ...aurora.iam, rateLimit: false })
    const connection = await promises.createConnection(withAuroraIam(addressOf(aurora), iam))
    await connection.changeUser({ user: 'reporting' })
    const [rows] = await connection.query('SELECT CURRENT_USER() AS user')
    expect(rows).toEqual([{ user: expect.stringMatching(/^reporting@/) }])
    const changes = [...aurora.log].filter((event) => event.type === 'change-user')
    expect(changes).toEqual([expect.objectContaining({ user: 'reporting', hostname: aurora.hostname })])
    expect(aurora.log.fingerprints).toHaveLength(2)
    expect(iam.stats()).toMatchObject({ tokensSigned: 2 })
    await connection.end()
  })

  test('a rejection by the server: it reaches the callback and the promise', async () => {
    const iam = { ...aurora.iam, rateLimit: false as const }
    const unhandled = await unhandledDuring(async () => {
      const connection = callbacks.createConnection(withAuroraIam(addressOf(aurora), iam))
      await callbackErrorOf((done) => connection.connect(done))
      const error = await callbackErrorOf((done) => connection.changeUser({ user: 'nobody' }, done))
      expect(error).toMatchObject({ errno: 1045, code: 'ER_ACCESS_DENIED_ERROR' })
      connection.destroy()

      const other = await promises.createConnection(withAuroraIam(addressOf(aurora), iam))
      await expect(other.changeUser({ user: 'nobody' })).rejects.toMatchObject({ errno: 1045 })
      other.destroy()
    })
    expect(unhandled).toEqual([])
    expect(aurora.log.refusals).toMatchObject([
      { during: 'change-user', user: 'nobody' },
      { during: 'change-user', user: 'nobody' },
    ])
  })

  test('a rejected token: evicted, and the next one is signed with new credentials', async () => {
    let current = { accessKeyId: 'AKIDFIRST', secretAccessKey: 'first' }
    aurora.principals.add(current)
    const limiter = createRateLimiter({ limit: 20 })
    const iam = createAuroraIam({ ...aurora.iam, rateLimit: limiter, credentials: async () => current })
    const options = withAuroraIam(addressOf(aurora), iam)
    const [one, other] = await Promise.all([0, 1].map(() => promises.createConnection(options)))
    await one!.changeUser({ user: 'reporting' })
    expect(iam.stats()).toMatchObject({ connectionsOpened: 3, credentialsResolved: 1 })

    aurora.principals.remove(current.accessKeyId)
    current = { accessKeyId: 'AKIDSECOND', secretAccessKey: 'second' }
    aurora.principals.add(current)
    // Each has its own settings, and reporting's token is in the cache.
    await expect(other!.changeUser({ user: 'reporting' })).rejects.toMatchObject({ errno: 1045 })
    expect(iam.stats()).toMatchObject({
      connectionsFailed: 1,
      lastError: {
        code: 'ER_ACCESS_DENIED_ERROR',
        message: expect.stringMatching(/^Access denied for user 'reporting'/),
      },
    })
    expect(limiter.stats()).toMatchObject({ throttled: 1, inFlight: 0 })
    await one!.changeUser({ user: 'reporting' })
    expect(iam.stats()).toMatchObject({ connectionsOpened: 4, credentialsResolved: 2 })
    await one!.end()
    other!.destroy()
  })
})
