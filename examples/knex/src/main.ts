// Knex on IAM tokens, with migrations that run in the process.
import { withAuroraIam } from '@aurora-iam/knex'
import { startLocalAurora } from '@aurora-iam/local'
import knex, { type Knex } from 'knex'

// A database to play with. For your own, `host` is the endpoint that RDS shows, and `aurora.iam` is left out.
await using aurora = await startLocalAurora()
const { host, port, database } = aurora

// Files in a folder in your program: `migrations: { directory: './migrations' }`.
const migrations: Record<string, Knex.Migration> = {
  '001-account': {
    up: (db) =>
      db.schema.createTable('account', (table) => {
        table.string('owner', 20).primary()
        table.integer('balance').notNullable()
      }),
    down: (db) => db.schema.dropTable('account'),
  },
  '002-currency': {
    up: (db) => db.schema.alterTable('account', (table) => table.string('currency', 3).defaultTo('EUR')),
    down: (db) => db.schema.alterTable('account', (table) => table.dropColumn('currency')),
  },
}
const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: async () => Object.keys(migrations),
  getMigrationName: (name) => name,
  getMigration: async (name) => migrations[name] as Knex.Migration,
}

// The lines that matter:
const config = withAuroraIam(
  { client: 'mysql2', connection: { host, port, user: 'app', database }, migrations: { migrationSource } },
  aurora.iam,
)
const db = knex(config)

const [, applied] = await db.migrate.latest()
console.log(`applied ${applied.join(', ')}`)
await db.transaction(async (trx) => {
  await trx('account').insert({ owner: 'Ada', balance: 100 })
  await trx('account').insert({ owner: 'Grace', balance: 250 })
})
for (const { owner, balance, currency } of await db('account').orderBy('owner')) {
  console.log(`${owner} has ${balance} ${currency}`)
}
await db.migrate.rollback(undefined, true)
console.log(`applied after the rollback: ${(await db.migrate.list())[0].length}`)
await db.destroy()
