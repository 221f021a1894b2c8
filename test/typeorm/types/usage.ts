// What users write, with nothing cast; compiled against each version of TypeORM by ../types.test.ts.
import { createAuroraIam, withAuroraIam } from '@aurora-iam/typeorm'
import { Column, DataSource, type DataSourceOptions, Entity, EntitySchema, PrimaryColumn } from 'typeorm'

@Entity()
class Account {
  @PrimaryColumn({ type: 'varchar' })
  owner!: string

  @Column({ type: 'int' })
  balance!: number
}

const Shop = new EntitySchema<{ name: string }>({
  name: 'shop',
  columns: { name: { type: 'varchar', primary: true } },
})

const host = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const iam = createAuroraIam()

export const simple = new DataSource(
  withAuroraIam({ type: 'mysql', host, username: 'app', database: 'shop', entities: [Account] }),
)

export const detailed = new DataSource(
  withAuroraIam(
    {
      type: 'mariadb',
      url: `mariadb://app@${host}/shop`,
      poolSize: 20,
      entities: [Account, Shop],
      logging: ['query', 'error'],
      cache: { type: 'database' },
      dateStrings: ['DATE'],
      migrations: ['dist/migrations/*.js'],
      migrationsTransactionMode: 'each',
      extra: { queueLimit: 100 },
    },
    { rateLimit: 100 },
  ),
)

export const replicated = new DataSource(
  withAuroraIam(
    {
      type: 'mysql',
      replication: {
        master: { host, username: 'app', database: 'shop' },
        slaves: [{ host, username: 'reporting', database: 'shop' }],
        defaultMode: 'master',
        selector: 'RANDOM',
      },
      entities: { Account, Shop },
    },
    iam,
  ),
)

const kept = { type: 'mysql', host, username: 'app', database: 'shop' } as const
export const fromConstant = new DataSource(withAuroraIam(kept, iam))

export const retrying = new DataSource(
  withAuroraIam({ type: 'mysql', host, username: 'app', entities: [Account] }, { retryRejectedLogins: true }),
)

export const asOptions: DataSourceOptions = withAuroraIam({ type: 'mysql', host, username: 'app' })

// @ts-expect-error the wrong database
withAuroraIam({ type: 'postgres', host, username: 'app' })
// @ts-expect-error the Data API has no connections
withAuroraIam({ type: 'aurora-mysql', host, username: 'app' })
// @ts-expect-error TypeORM takes no function here
withAuroraIam({ type: 'mysql', host, username: 'app', password: async () => 'token' })
// @ts-expect-error a port is a number
withAuroraIam({ type: 'mysql', host, port: '3306', username: 'app' })
