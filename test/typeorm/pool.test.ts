import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { type AuroraIamOptions, withAuroraIam } from '@aurora-iam/typeorm'
import type { DataSource, QueryRunner } from 'typeorm'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { unhandledDuring } from '../mysql2/support.ts'
import { addressOf, VERSIONS } from './support.ts'

const MINUTE_MS = 60_000
const THOUSAND_ROWS =
  'WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n'

const aurora = await localAurora()
const opened: DataSource[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  for (const dataSource of opened.splice(0)) if (dataSource.isInitialized) await dataSource.destroy()
})

async function hold(dataSource: DataSource): Promise<QueryRunner> {
  const runner = dataSource.createQueryRunner()
  await runner.connect()
  return runner
}

describe.each(VERSIONS)('the pool of $name', ({ open, Account }) => {
  function create(options: object = {}, iam: AuroraIamOptions = { rateLimit: false }): DataSource {
    // This workspace has TypeORM more than once, and each has a separate EntitySchema.
    const settings = { ...addressOf(aurora), poolSize: 4, entities: [Account as never], ...options }
    const dataSource = open(withAuroraIam(settings, { ...aurora.iam, ...iam }))
    opened.push(dataSource)
    return dataSource
  }
  const start = (...settings: Parameters<typeof create>) => create(...settings).initialize()

  const accounts = async (settings: object = {}) => {
    const dataSource = await start({ synchronize: true, dropSchema: true, ...settings })
    await dataSource.manager.save(Account, [
      { owner: 'Ann', balance: 100 },
      { owner: 'Ben', balance: 100 },
    ])
    return dataSource
  }
  const balances = async (dataSource: DataSource) => {
    const found = await dataSource.manager.find(Account, { order: { owner: 'ASC' } })
    return found.map(({ balance }) => balance)
  }

  test('transactions: committed and rolled back', async () => {
    const dataSource = await accounts()
    await dataSource.transaction(async (manager) => {
      await manager.decrement(Account, { owner: 'Ann' }, 'balance', 30)
      await manager.increment(Account, { owner: 'Ben' }, 'balance', 30)
    })
    const change = dataSource.transaction(async (manager) => {
      await manager.decrement(Account, { owner: 'Ann' }, 'balance', 50)
      throw new Error('changed my mind')
    })
    await expect(change).rejects.toThrow('changed my mind')
    expect(await balances(dataSource)).toEqual([70, 130])
  })

  test('rows: streamed', async () => {
    const dataSource = await start()
    const runner = await hold(dataSource)
    const rows: unknown[] = []
    for await (const row of await runner.stream(THOUSAND_ROWS)) rows.push(row)
    await runner.release()
    expect(rows).toHaveLength(1_000)
  })

  test.each(['mysql', 'mariadb'] as const)('a url, as type %s: it connects', async (type) => {
    const url = `${type}://app@${aurora.host}:${aurora.port}/app`
    const options = { type, url, host: undefined, port: undefined, username: undefined, database: undefined }
    const dataSource = await start(options)
    expect(await dataSource.query('SELECT DATABASE() AS name')).toEqual([{ name: 'app' }])
    expect(aurora.log.logins).toMatchObject([{ user: 'app', hostname: aurora.hostname, port: aurora.port }])
  })

  test('tokens that age: one login per connection, one token per lifetime, no rejection', async () => {
    let ahead = 0
    aurora.setClock(() => Date.now() + ahead)
    const dataSource = await accounts()
    const held: QueryRunner[] = []
    for (let life = 1; life <= 4; life++) {
      held.push(await hold(dataSource))
      for (const runner of held)
        await runner.query("UPDATE account SET balance = balance + 1 WHERE owner = 'Ann'")
      ahead += 16 * MINUTE_MS
    }
    for (const runner of held) await runner.release()
    expect(await balances(dataSource)).toEqual([110, 100])
    expect(aurora.log.logins.length).toBe(4)
    expect(aurora.log.fingerprints.length).toBe(4)
    expect(aurora.log.refusals).toHaveLength(0)
  })

  test('rejected logins: open connections work, and afterwards new ones do', async () => {
    let ahead = 0
    aurora.setClock(() => Date.now() + ahead)
    const dataSource = await start()
    const held = await hold(dataSource)
    aurora.faults.set({ refuse: 'ThrottlingException' })
    for (let second = 0; second < 5; second++) {
      ahead += 1_000
      const error = await rejectionOf(dataSource.query('SELECT 1'))
      expect(error).toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR', errno: 1045 })
      expect(await held.query('SELECT 2 AS two')).toEqual([{ two: 2 }])
    }
    aurora.faults.clear()
    expect(await dataSource.query('SELECT 3 AS three')).toEqual([{ three: 3 }])
    await held.release()
  })

  test('initialize() after a rejection: it can be called again', async () => {
    const dataSource = create()
    aurora.faults.set({ refuse: 'NotAuthorized' })
    await expect(dataSource.initialize()).rejects.toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' })
    aurora.faults.clear()
    await dataSource.initialize()
    expect(await dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('a full limiter: only the connections beyond it fail', async () => {
    const rateLimit = createRateLimiter({ limit: 2, intervalMs: 60_000 })
    const dataSource = await start({}, { rateLimit, maxWaitMs: 50 })
    const held = [await hold(dataSource), await hold(dataSource)]
    const error = await rejectionOf(dataSource.query('SELECT 1'))
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_RATE_LIMITED', retryable: true })
    for (const runner of held) {
      expect(await runner.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
      await runner.release()
    }
    expect(await dataSource.query('SELECT 2 AS two')).toEqual([{ two: 2 }])
    expect(aurora.log.logins.length).toBe(2)
  })

  test('a burst that waits longer than connectTimeout: all of it succeeds', async () => {
    const rateLimit = createRateLimiter({ limit: 5, intervalMs: 1_000 })
    const dataSource = await start({ poolSize: 15, connectTimeout: 1_000 }, { rateLimit })
    const startedAt = performance.now()
    const slow = Array.from({ length: 30 }, (_, i) => dataSource.query(`SELECT SLEEP(0.1), ${i} AS i`))
    const rows = (await Promise.all(slow)).flat()
    expect(performance.now() - startedAt).toBeGreaterThan(1_000)
    expect(rows.map(({ i }) => Number(i))).toEqual(Array.from({ length: 30 }, (_, i) => i))
  })

  test('a restart of the database: only what was under way is lost', async () => {
    const dataSource = await accounts()
    const unhandled = await unhandledDuring(async () => {
      const cut = dataSource.transaction(async (manager) => {
        await manager.decrement(Account, { owner: 'Ann' }, 'balance', 50)
        aurora.faults.set({
          error: { errno: 1053, sqlState: '08S01', message: 'Server shutdown in progress' },
        })
        aurora.faults.dropConnections()
        await manager.increment(Account, { owner: 'Ben' }, 'balance', 50)
      })
      expect(await rejectionOf(cut)).toMatchObject({
        code: expect.stringMatching(/^(PROTOCOL_CONNECTION_LOST|ECONNRESET|EPIPE)$/),
      })
      await until(() => aurora.openConnections === 0)
      expect(await rejectionOf(dataSource.query('SELECT 1'))).toMatchObject({ code: 'ER_SERVER_SHUTDOWN' })
      aurora.faults.clear()
      expect(await balances(dataSource)).toEqual([100, 100])
    })
    expect(unhandled).toEqual([])
  })

  test('the options that mysql2 and TypeORM are given: they warn of none', async () => {
    const complaints = (['error', 'warn', 'log'] as const).map((method) => vi.spyOn(console, method))
    const dataSource = await start()
    await dataSource.query('SELECT 1')
    await dataSource.destroy()
    for (const complaint of complaints) expect(complaint).not.toHaveBeenCalled()
  })
})
