import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { until } from '@aurora-iam/test-support/until'
import * as kysely from 'kysely'
import * as kysely028 from 'kysely-0.28'
import { createConnection, createPool } from 'mysql2'
import { expect, test, vi } from 'vitest'
import { describeOrm } from './suite.ts'

// 0.28 is the last that asks for no newer Node than this project does.
for (const [version, driver] of Object.entries({
  latest: kysely,
  '0.28': kysely028 as unknown as typeof kysely,
})) {
  describeOrm(
    `Kysely ${version}`,
    (address, iam) => {
      const pool = createPool(withAuroraIam({ ...address, connectionLimit: 3 }, iam))
      const db = new driver.Kysely({ dialect: new driver.MysqlDialect({ pool }) })
      return { query: (sql) => driver.sql.raw(sql).execute(db), close: () => db.destroy() }
    },
    (error) => error,
  )
}

test('the connection by which Kysely cancels a query: it logs in by IAM too', async () => {
  // Kysely says on the console that the query was interrupted.
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
  await using aurora = await startLocalAurora()
  const pool = createPool(withAuroraIam({ host: aurora.host, port: aurora.port, user: 'app' }, aurora.iam))
  const db = new kysely.Kysely({
    dialect: new kysely.MysqlDialect({ pool, controlConnection: createConnection }),
  })
  await kysely.sql`SELECT 1`.execute(db)
  const abort = new AbortController()
  const query = kysely.sql`SELECT SLEEP(60)`.execute(db, {
    signal: abort.signal,
    inflightQueryAbortStrategy: 'cancel query',
  })
  setTimeout(() => abort.abort(), 100)
  await expect(query).rejects.toMatchObject({ name: 'AbortError' })
  await until(() => printed.mock.calls.length > 0)
  expect(aurora.log.logins).toHaveLength(2)
  printed.mockRestore()
  await db.destroy()
})
