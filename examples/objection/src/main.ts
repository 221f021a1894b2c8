// Objection on IAM tokens: its models work on a Knex instance, and that one logs in with tokens.
import { withAuroraIam } from '@aurora-iam/knex'
import { startLocalAurora } from '@aurora-iam/local'
import knex from 'knex'
import { Model } from 'objection'

// A database to play with. For your own, `host` is the endpoint that RDS shows, and `aurora.iam` is left out.
await using aurora = await startLocalAurora()
const { host, port, database } = aurora

// The lines that matter:
const connection = { host, port, user: 'app', database }
const db = knex(withAuroraIam({ client: 'mysql2', connection }, aurora.iam))
Model.knex(db)

class Account extends Model {
  static override tableName = 'accounts'
  declare id: number
  declare owner: string
  declare balance: number
}

await db.schema.createTable('accounts', (table) => {
  table.increments('id')
  table.string('owner').notNullable()
  table.integer('balance').notNullable()
})

await Account.transaction(async (trx) => {
  await Account.query(trx).insert({ owner: 'Ada', balance: 70 })
  await Account.query(trx).insert({ owner: 'Grace', balance: 30 })
  await Account.query(trx).where({ owner: 'Ada' }).decrement('balance', 20)
  await Account.query(trx).where({ owner: 'Grace' }).increment('balance', 20)
})

const [[login]] = await db.raw('SELECT CURRENT_USER() AS user')
console.log(`logged in as ${login.user}`)
for (const { owner, balance } of await Account.query().orderBy('id')) console.log(`${owner} has ${balance}`)
console.log(`connections: ${aurora.log.logins.length}, tokens: ${aurora.log.fingerprints.length}`)

await db.destroy()
