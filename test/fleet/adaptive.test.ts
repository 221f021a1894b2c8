import { createAuroraIam } from '@aurora-iam/core'
import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import mysql from 'mysql2/promise'
import { expect, onTestFinished, test } from 'vitest'

test('set to 20 a second at a database that takes 8: the rate is halved until logins are accepted, and each is in the end', async () => {
  const aurora = await startLocalAurora({ throttle: false })
  onTestFinished(() => aurora.close())
  const rateLimit = createRateLimiter({ limit: 20, recoveryIntervalMs: 5000 })
  const iam = createAuroraIam({ ...aurora.iam, rateLimit, maxWaitMs: 60_000 })
  const options = withAuroraIam({ host: aurora.host, port: aurora.port, user: 'app', database: 'app' }, iam)
  const logIn = async () => (await mysql.createConnection(options)).end()
  await logIn()
  aurora.setThrottle(8)

  let lowest = rateLimit.limit
  const untilIn = async (): Promise<void> => {
    try {
      await logIn()
    } catch (error) {
      if ((error as { code?: string }).code !== 'ER_ACCESS_DENIED_ERROR') throw error
      lowest = Math.min(lowest, rateLimit.stats().effectiveLimit)
      await untilIn()
    }
  }
  await Promise.all(Array.from({ length: 40 }, untilIn))

  const { throttled, succeeded, inFlight } = rateLimit.stats()
  expect({ succeeded, inFlight }).toEqual({ succeeded: 41, inFlight: 0 })
  expect(throttled).toBeGreaterThan(0)
  expect(lowest).toBeLessThanOrEqual(10)
  // Without that, most attempts of every second would be refused for as long as there are any.
  expect(aurora.log.refusals.length).toBeLessThan(40)
}, 60_000)
