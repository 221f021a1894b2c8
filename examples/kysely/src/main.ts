// Kysely on IAM tokens.
import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { Kysely, MysqlDialect, sql } from 'kysely'
// With callbacks, as Kysely wants them: not 'mysql2/promise'.
import { createPool } from 'mysql2'

interface Database {
  account: { owner: string; balance: number }
}

// A database to play with. For your own, `host` is the endpoint that RDS shows, and `aurora.iam` is left out.
await using aurora = await startLocalAurora()
const { host, port, database } = aurora

// The lines that matter:
const pool = createPool(withAuroraIam({ host, port, user: 'app', database }, aurora.iam))
const db = new Kysely<Database>({ dialect: new MysqlDialect({ pool }) })

await db.schema
  .createTable('account')
  .addColumn('owner', 'varchar(20)', (column) => column.primaryKey())
  .addColumn('balance', 'integer', (column) => column.notNull())
  .execute()

await db.transaction().execute(async (transaction) => {
  await transaction.insertInto('account').values({ owner: 'Ada', balance: 100 }).execute()
  await transaction.insertInto('account').values({ owner: 'Grace', balance: 250 }).execute()
})

const login = await db.selectNoFrom(sql<string>`CURRENT_USER()`.as('user')).executeTakeFirstOrThrow()
console.log(`logged in as ${login.user}`)
const accounts = await db.selectFrom('account').selectAll().orderBy('owner').execute()
for (const { owner, balance } of accounts) console.log(`${owner} has ${balance}`)
console.log(`connections: ${aurora.log.logins.length}, tokens: ${aurora.log.fingerprints.length}`)

await db.destroy()
