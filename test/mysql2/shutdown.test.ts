import { createAuroraIam } from '@aurora-iam/core'
import { managedPool, withAuroraIam, withLoginRetry } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { until } from '@aurora-iam/test-support/until'
import { describe, expect, test } from 'vitest'
import { addressOf, unhandledDuring, VERSIONS } from './support.ts'

const aurora = await localAurora()
const VIEWS = ['the pool', 'managedPool', 'withLoginRetry'] as const

// Those given by numbers are shared by all that name the endpoint.
const onePermit = () => createRateLimiter({ limit: 1, intervalMs: 60_000 })

const codeOf = (query: Promise<unknown>): Promise<unknown> =>
  query.then(
    () => 'answered',
    (error) => error.code,
  )

const viewOf = (view: (typeof VIEWS)[number], iam: ReturnType<typeof createAuroraIam>) => {
  if (view === 'managedPool') return managedPool
  return <P extends Parameters<typeof managedPool>[0]>(pool: P) =>
    view === 'the pool' ? pool : withLoginRetry(pool, iam)
}

describe.each(VERSIONS)('iam.close() and pool.end() in one tick, $name', ({ callbacks, promises }) => {
  describe.each(VIEWS)('%s', (view) => {
    test.each(['permit', 'token'])(
      'connections wait for a %s: end() resolves, and each caller has its error',
      async (wait) => {
        let isOut = false
        const credentials = async () => (isOut ? new Promise<never>(() => {}) : aurora.credentials)
        const rateLimit = wait === 'permit' ? onePermit() : false
        const iam = createAuroraIam({ ...aurora.iam, credentials, rateLimit })
        const options = withAuroraIam({ ...addressOf(aurora), connectionLimit: 4 }, iam)
        const pool = viewOf(view, iam)(promises.createPool(options))
        const unhandled = await unhandledDuring(async () => {
          if (wait === 'permit') await pool.query('SELECT 1')
          isOut = true
          const queries = Array.from({ length: 6 }, () => codeOf(pool.query('SELECT SLEEP(0.2)')))
          if (wait === 'permit') await until(() => Object.values(iam.stats().rateLimits)[0]!.waiting === 3)
          iam.close()
          await pool.end()
          const codes = await Promise.all(queries)
          expect(codes.filter((code) => code === 'ERR_AURORA_IAM_CLOSED')).toHaveLength(
            wait === 'permit' ? 3 : 4,
          )
        })
        expect(unhandled).toEqual([])
        await until(() => aurora.openConnections === 0)
      },
    )

    test('the callback API: end() calls back without an error', async () => {
      const iam = createAuroraIam({ ...aurora.iam, rateLimit: onePermit() })
      const pool = viewOf(
        view,
        iam,
      )(callbacks.createPool(withAuroraIam({ ...addressOf(aurora), connectionLimit: 4 }, iam)))
      const query = () => new Promise((resolve) => pool.query('SELECT 1', (error) => resolve(error)))
      const held = await new Promise<{ release(): void }>((resolve) =>
        pool.getConnection((_, connection) => resolve(connection)),
      )
      const queries = Array.from({ length: 3 }, query)
      await until(() => Object.values(iam.stats().rateLimits)[0]!.waiting === 3)
      iam.close()
      expect(await new Promise((resolve) => pool.end(resolve))).toBeFalsy()
      for (const error of await Promise.all(queries))
        expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
      held.release()
    })
  })
})
