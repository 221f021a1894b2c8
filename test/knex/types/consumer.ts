import { auroraIamConnection, createAuroraIam, withAuroraIam } from '@aurora-iam/knex'
import knex, { type Knex } from 'knex'

const host = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const connection = { host, user: 'app', database: 'shop' }

/** Holds what users write, without a cast. It is compiled with each version of Knex, and never called. */
export function clientsOf(config: Knex.Config): Knex[] {
  const knexfile: Record<string, Knex.Config> = {
    development: withAuroraIam(
      { client: 'mysql2', connection: { ...connection, password: 'local' } },
      { enabled: false },
    ),
    production: withAuroraIam({
      client: 'mysql2',
      connection: { ...connection, port: 3306, timezone: 'Z', namedPlaceholders: true, ssl: { ca: '' } },
      pool: { min: 0, max: 10 },
      migrations: { directory: './migrations' },
      seeds: { directory: './seeds' },
    }),
  }
  const ofFramework: { client: string; connection: Knex.MySqlConnectionConfig } = {
    client: 'mysql2',
    connection: auroraIamConnection(connection, { maxWaitMs: 5_000 }),
  }
  const ofMysql2: Knex.MySql2ConnectionConfig = { uri: `mysql://app@${host}/shop`, charset: 'utf8mb4' }
  const iam = createAuroraIam({ retryRejectedLogins: true })
  return [
    knex(withAuroraIam({ client: 'mysql2', connection }, iam)),
    knex(withAuroraIam({ client: 'mysql2', connection })),
    knex(withAuroraIam({ client: 'mysql2', connection: ofMysql2 }, createAuroraIam({ rateLimit: 50 }))),
    knex(withAuroraIam(config)),
    knex({ client: 'mysql2', connection: auroraIamConnection(ofMysql2) }),
    knex(ofFramework),
    ...Object.values(knexfile).map((environment) => knex(environment)),
  ]
}
