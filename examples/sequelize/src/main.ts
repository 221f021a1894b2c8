// Sequelize 6 on IAM tokens.
import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import {
  DataTypes,
  type InferAttributes,
  type InferCreationAttributes,
  Model,
  QueryTypes,
  Sequelize,
} from 'sequelize'

// A database to play with. For your own, `host` is the endpoint that RDS shows, and `aurora.iam` is left out.
await using aurora = await startLocalAurora()
const { host, port, database } = aurora

// The lines that matter. dialectOptions goes to mysql2 unchanged, and wins over the options beside it.
const dialectOptions = withAuroraIam({ host, port, user: 'app' }, aurora.iam)
const sequelize = new Sequelize({ dialect: 'mysql', database, dialectOptions, logging: false })

class Account extends Model<InferAttributes<Account>, InferCreationAttributes<Account>> {
  declare owner: string
  declare balance: number
}
Account.init(
  {
    owner: { type: DataTypes.STRING(20), primaryKey: true },
    balance: { type: DataTypes.INTEGER, allowNull: false },
  },
  { sequelize, timestamps: false },
)
await Account.sync()

await sequelize.transaction(async (transaction) => {
  await Account.create({ owner: 'Ada', balance: 100 }, { transaction })
  await Account.create({ owner: 'Grace', balance: 250 }, { transaction })
})

const [login] = await sequelize.query<{ user: string }>('SELECT CURRENT_USER() AS user', {
  type: QueryTypes.SELECT,
})
console.log(`logged in as ${login?.user}`)
const accounts = await Account.findAll({ order: ['owner'] })
for (const { owner, balance } of accounts) console.log(`${owner} has ${balance}`)
// Sequelize opens and closes one connection only to ask for the server's version.
console.log(`connections: ${aurora.log.logins.length}, tokens: ${aurora.log.fingerprints.length}`)

await sequelize.close()
