import { createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { describe, expect, test } from 'vitest'
import { addressOf, endingsDuring, VERSIONS } from './support.ts'

const aurora = await localAurora()
function watched() {
  const limiter = createRateLimiter({ limit: 20 })
  return { limiter, iam: createAuroraIam({ ...aurora.iam, rateLimit: limiter, requireWriter: true }) }
}

describe.each(VERSIONS)('requireWriter with $name', ({ promises }) => {
  test('a writer: the connection opens after it has answered', async () => {
    const { limiter, iam } = watched()
    const pool = promises.createPool(withAuroraIam(addressOf(aurora), iam))
    const events = await endingsDuring(() => pool.query('SELECT 1'))
    expect(events).toEqual(['connect'])
    expect(iam.stats()).toMatchObject({ connectionsOpened: 1, connectionsFailed: 0, lastError: undefined })
    expect(limiter.stats()).toMatchObject({ succeeded: 1, inFlight: 0 })
    await pool.end()
  })

  test.each([
    { nestTables: true },
    { nestTables: '_' },
    { typeCast: false },
    { supportBigNumbers: true, bigNumberStrings: true },
  ])('a writer, with rows in the form %j of the driver: the connection opens', async (form) => {
    const pool = promises.createPool({ ...withAuroraIam(addressOf(aurora), watched().iam), ...form })
    await pool.query('SELECT 1')
    await pool.end()
  })

  test('a reader, each connection to it: one connect-failed event', async () => {
    await aurora.restart({ readOnly: true })
    const { limiter, iam } = watched()
    const pool = promises.createPool(withAuroraIam({ ...addressOf(aurora), connectionLimit: 2 }, iam))
    const events = await endingsDuring(() =>
      Promise.allSettled([pool.query('SELECT 1'), pool.query('SELECT 1')]),
    )
    const reason = 'ERR_AURORA_IAM_NOT_A_WRITER'
    expect(events).toEqual([`connect-failed ${reason}`, `connect-failed ${reason}`])
    expect(iam.stats()).toMatchObject({
      connectionsOpened: 0,
      connectionsFailed: 2,
      lastError: { code: reason },
    })
    expect(limiter.stats()).toMatchObject({ succeeded: 2, throttled: 0, inFlight: 0 })
    await pool.end()
    await aurora.restart()
  })
})
