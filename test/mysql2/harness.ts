import { managedPool, withAuroraIam, withLoginRetry } from '@aurora-iam/mysql2'
import type mysql from 'mysql2/promise'
import type { AdapterHarness, Client } from '../conformance/harness.ts'

/** Members that every version of mysql2 has. */
export type Mysql2Promise = Pick<typeof mysql, 'createPool' | 'createConnection'>

/** Describes mysql2's promise pools, in any version. */
export function mysql2Harness(name: string, driver: Mysql2Promise, keepsErrors: boolean): AdapterHarness {
  return {
    name,
    capabilities: { connectsWhenOpened: false, keepsErrors },
    options: (options, iam) => withAuroraIam({ ...options }, iam),
    open: (options) => clientOf(driver.createPool(options as mysql.PoolOptions)),
    openRetrying: (options, iam) =>
      clientOf(withLoginRetry(driver.createPool(options as mysql.PoolOptions), iam)),
    openManaged: (options, iam) =>
      clientOf(withLoginRetry(managedPool(driver.createPool(options as mysql.PoolOptions)), iam)),
    giveUpWaiting: async (options) => {
      const pool = driver.createPool({ ...(options as mysql.PoolOptions), connectTimeout: 30 })
      await pool.query('SELECT 1').catch(() => {})
      await pool.end()
    },
    exitProgram: new URL('../fixtures/exit/mysql2.mjs', import.meta.url),
  }
}

function clientOf(pool: mysql.Pool): Client {
  type Rows = Array<Record<string, unknown>>
  return {
    raw: pool,
    query: async (sql) => (await pool.query(sql))[0] as Rows,
    hold: async () => {
      const connection = await pool.getConnection()
      return {
        query: async (sql) => (await connection.query(sql))[0] as Rows,
        release: () => connection.release(),
      }
    },
    close: () => pool.end(),
  }
}
