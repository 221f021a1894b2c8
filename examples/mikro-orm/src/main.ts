// MikroORM 7 on IAM tokens.
import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { defineEntity, MikroORM, p } from '@mikro-orm/mysql'

const Account = defineEntity({
  name: 'Account',
  properties: { owner: p.string().length(20).primary(), balance: p.integer() },
})

// A database to play with. For your own, `host` is the endpoint that RDS shows, and `aurora.iam` is left out.
await using aurora = await startLocalAurora()
const { host, port, database: dbName } = aurora

// The lines that matter. driverOptions goes to mysql2 unchanged, and wins over the options beside it.
const driverOptions = withAuroraIam({ host, port, user: 'app' }, aurora.iam)
await using orm = await MikroORM.init({ entities: [Account], dbName, driverOptions })

await orm.schema.create()

await orm.em.fork().transactional(async (em) => {
  em.create(Account, { owner: 'Ada', balance: 100 })
  em.create(Account, { owner: 'Grace', balance: 250 })
})

const em = orm.em.fork()
const [login] = await em.execute<Array<{ user: string }>>('SELECT CURRENT_USER() AS user')
console.log(`logged in as ${login?.user}`)
const accounts = await em.findAll(Account, { orderBy: { owner: 'asc' } })
for (const { owner, balance } of accounts) console.log(`${owner} has ${balance}`)
console.log(`connections: ${aurora.log.logins.length}, tokens: ${aurora.log.fingerprints.length}`)
