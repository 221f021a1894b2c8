// What users of TypeORM and Nest write, without a cast, and what the compiler refuses. No line of it runs.
import { createAuroraIam, withAuroraIam } from '@aurora-iam/typeorm'
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm'
import { DataSource, type DataSourceOptions } from 'typeorm'

const host = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const username = 'app'

declare const ofTypeorm: DataSourceOptions
declare const ofNest: TypeOrmModuleOptions

export const iam = createAuroraIam()
export const stats = iam.stats()
export const options = withAuroraIam({ type: 'mysql', host, username, entities: [] }, iam)
export const forNest = withAuroraIam({
  type: 'mysql',
  host,
  username,
  autoLoadEntities: true,
  retryAttempts: 3,
})
export const dataSources = [
  new DataSource(options),
  new DataSource(withAuroraIam({ type: 'mysql', host, username, migrations: ['dist/*.js'] })),
  new DataSource(withAuroraIam(ofTypeorm)),
]
export const modules = [
  TypeOrmModule.forRoot(forNest),
  TypeOrmModule.forRoot(options),
  TypeOrmModule.forRoot(withAuroraIam(ofNest)),
  TypeOrmModule.forRoot(withAuroraIam({ type: 'mysql', host, username, autoLoadEntities: true })),
  TypeOrmModule.forRootAsync({
    useFactory: async () => withAuroraIam({ type: 'mysql', host, retryDelay: 100 }),
  }),
  TypeOrmModule.forRootAsync({ useFactory: () => withAuroraIam(ofNest, iam) }),
]

// @ts-expect-error a slip of the pen
new DataSource(withAuroraIam({ type: 'mysql', host, username, entites: [] }))
// @ts-expect-error the same in Nest
TypeOrmModule.forRoot(withAuroraIam({ type: 'mysql', host, username, entites: [] }))
// @ts-expect-error the same where the call stands elsewhere
withAuroraIam({ type: 'mysql', host, username, entites: [] })
// @ts-expect-error Nest's own option, which a DataSource does not have
new DataSource(withAuroraIam({ type: 'mysql', host, username, autoLoadEntities: true }))
// @ts-expect-error options of IAM go into the second argument
new DataSource(withAuroraIam({ type: 'mysql', host, username, rateLimit: 5, requireWriter: true }))
// @ts-expect-error the wrong database
withAuroraIam({ type: 'postgres', host, username })
// @ts-expect-error an object, not a URL
withAuroraIam('mysql://app@localhost/shop')
// @ts-expect-error the options are missing
withAuroraIam()
