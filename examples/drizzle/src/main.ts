// Drizzle on IAM tokens, with its migrator.
import { fileURLToPath } from 'node:url'
import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { asc, sql } from 'drizzle-orm'
import { int, mysqlTable, varchar } from 'drizzle-orm/mysql-core'
import { drizzle } from 'drizzle-orm/mysql2'
import { migrate } from 'drizzle-orm/mysql2/migrator'
import mysql from 'mysql2/promise'

// A database to play with. For your own, `host` is the endpoint that RDS shows, and `aurora.iam` is left out.
await using aurora = await startLocalAurora()
const { host, port, database } = aurora

// The lines that matter:
const client = mysql.createPool(withAuroraIam({ host, port, user: 'app', database }, aurora.iam))
const db = drizzle({ client })

const accounts = mysqlTable('account', {
  owner: varchar({ length: 20 }).primaryKey(),
  balance: int().notNull(),
})
// What `drizzle-kit generate` writes. The migrator runs on the pool, so its logins are IAM tokens too.
await migrate(db, { migrationsFolder: fileURLToPath(new URL('../migrations', import.meta.url)) })

await db.transaction(async (transaction) => {
  await transaction.insert(accounts).values({ owner: 'Ada', balance: 100 })
  await transaction.insert(accounts).values({ owner: 'Grace', balance: 250 })
})

const [login] = await db.select({ user: sql<string>`CURRENT_USER()` }).from(accounts).limit(1)
console.log(`logged in as ${login?.user}`)
for (const { owner, balance } of await db.select().from(accounts).orderBy(asc(accounts.owner))) {
  console.log(`${owner} has ${balance}`)
}
console.log(`connections: ${aurora.log.logins.length}, tokens: ${aurora.log.fingerprints.length}`)

await client.end()
