import { withAuroraIam } from '@aurora-iam/mysql2'
import { DrizzleQueryError, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/mysql2'
import { createPool } from 'mysql2/promise'
import { expect } from 'vitest'
import { describeOrm } from './suite.ts'

describeOrm(
  'Drizzle',
  (address, iam) => {
    const client = createPool(withAuroraIam({ ...address, connectionLimit: 3 }, iam))
    const db = drizzle({ client })
    return { query: (text) => db.execute(sql.raw(text)), close: () => client.end() }
  },
  (error) => {
    expect(error).toBeInstanceOf(DrizzleQueryError)
    return (error as Error).cause
  },
)

describeOrm(
  'Drizzle in a transaction',
  (address, iam) => {
    const client = createPool(withAuroraIam({ ...address, connectionLimit: 3 }, iam))
    const db = drizzle({ client })
    const query = (text: string) => db.transaction((transaction) => transaction.execute(sql.raw(text)))
    return { query, close: () => client.end() }
  },
  (error) => error,
)
