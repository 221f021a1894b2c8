import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { type AuroraIam, type AuroraIamOptions, createAuroraIam, withAuroraIam } from '@aurora-iam/typeorm'
import type { DataSource } from 'typeorm'
import { describe, expect, test } from 'vitest'
import { addressOf, VERSIONS } from './support.ts'

const aurora = await localAurora()

describe.each(VERSIONS)('destroy() of $name while connections wait in the queue', ({ open }) => {
  /** Opens a DataSource with one connection in use, and six queries that want one of three more. */
  async function busy(iam: AuroraIam | AuroraIamOptions, isWaiting: () => boolean) {
    const dataSource = await open(withAuroraIam({ ...addressOf(aurora), poolSize: 4 }, iam)).initialize()
    await dataSource.createQueryRunner().connect()
    const errors = Promise.all(Array.from({ length: 6 }, () => rejectionOf(dataSource.query('SELECT 1'))))
    await until(isWaiting)
    return { dataSource, errors }
  }

  const gone = async (dataSource: DataSource) => {
    expect(dataSource.isInitialized).toBe(false)
    await until(() => aurora.openConnections === 0)
  }

  test('connections that wait: they get their permit, then destroy() is done', async () => {
    const rateLimit = createRateLimiter({ limit: 2, intervalMs: 400 })
    const isWaiting = () => rateLimit.stats().waiting > 0
    const { dataSource, errors } = await busy({ ...aurora.iam, rateLimit }, isWaiting)
    await dataSource.destroy()
    await gone(dataSource)
    const messages = (await errors).map((error) => (error as Error | undefined)?.message)
    for (const message of messages) expect([undefined, 'Pool is closed.']).toContain(message)
  })

  test('no permit within maxWaitMs: the limiter’s error', async () => {
    const rateLimit = createRateLimiter({ limit: 1, intervalMs: 60_000 })
    const isWaiting = () => rateLimit.stats().waiting === 3
    const { dataSource, errors } = await busy({ ...aurora.iam, rateLimit, maxWaitMs: 100 }, isWaiting)
    expect(await rejectionOf(dataSource.destroy())).toMatchObject({ code: 'ERR_AURORA_IAM_RATE_LIMITED' })
    for (const error of await errors) expect(error).toMatchObject({ message: 'Pool is closed.' })
    await until(() => aurora.openConnections === 0)
  })

  test('the AuroraIam is closed before: destroy() has nothing to wait for', async () => {
    const iam = createAuroraIam({ ...aurora.iam, rateLimit: 1 })
    const isWaiting = () => Object.values(iam.stats().rateLimits)[0]?.waiting === 3
    const { dataSource, errors } = await busy(iam, isWaiting)
    iam.close()
    for (const error of await errors) expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
    await dataSource.destroy()
    await gone(dataSource)
  })
})
