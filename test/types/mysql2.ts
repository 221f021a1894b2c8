// What users of mysql2 write, without a cast, and what the compiler refuses. No line of it runs.
import {
  type AuroraIamStats,
  createAuroraIam,
  managedPool,
  warmUp,
  withAuroraIam,
  withLoginRetry,
} from '@aurora-iam/mysql2'
import {
  type ConnectionOptions,
  createConnection,
  createPool,
  createPoolCluster,
  type Pool,
  type PoolOptions,
} from 'mysql2'
import promises from 'mysql2/promise'
import mysql315 from 'mysql2-3.15'
import mysql315Promises from 'mysql2-3.15/promise'

const host = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const user = 'app'

export const iam = createAuroraIam({ rateLimit: 50 })
export const stats = iam.stats()
export const { pools: poolStats } = stats
export const rates: AuroraIamStats['rateLimits'] = stats.rateLimits
export const token = iam.token({ hostname: host, port: 3306, username: user })

declare const ofPool: PoolOptions
declare const ofConnection: ConnectionOptions
const constant = { host, user, database: 'shop' } as const

export const pool: Pool = createPool(withAuroraIam({ host, user, connectionLimit: 5 }, iam))
export const pools = [
  promises.createPool(withAuroraIam({ host, user, maxIdle: 5, timezone: 'Z' })),
  promises.createPool(withAuroraIam(ofPool)),
  promises.createPool(withAuroraIam({ ...constant, connectionLimit: 5 })),
  promises.createPool(withAuroraIam(constant, { region: 'eu-west-1' })),
]
export const connections = [
  promises.createConnection(withAuroraIam({ host, user, database: 'shop' })),
  promises.createConnection(withAuroraIam(ofConnection)),
]
export const connection = createConnection(withAuroraIam({ host, user }))
// mysql2 declares options of pools for one connection, too: what its own call accepts is accepted.
export const single = [
  createConnection({ host, user, maxIdle: 5 }),
  createConnection(withAuroraIam({ host, user, maxIdle: 5 })),
  createConnection(withAuroraIam(ofPool)),
]
export const { host: signedHost, ...withoutHost } = withAuroraIam({ host, user, connectionLimit: 5 })
export const unset = createPool(withAuroraIam({ host, user, database: process.env.DB_NAME ?? '' }))
export const pool315 = mysql315.createPool(withAuroraIam({ host, user, maxIdle: 5 }))
createPoolCluster().add('WRITER', withAuroraIam({ host, user, connectionLimit: 5 }))
export const options = withAuroraIam({ host, user, authPlugins: { dialog: () => () => 'x' } })
createPool(options)
// As Drizzle, Sequelize and MikroORM declare what they pass on.
export const connectionOrUri: string | PoolOptions = withAuroraIam({ host, user })
export const dialectOptions: object = withAuroraIam({ host, user })
export const driverOptions: Record<string, unknown> = { connection: withAuroraIam({ host, user }) }

// A pool with login retry is still a pool of the version that made it.
export const retrying: Pool = withLoginRetry(createPool(options), iam)
export const retryingPromises: promises.Pool = withLoginRetry(promises.createPool(options), iam)
export const retrying315: mysql315.Pool = withLoginRetry(mysql315.createPool(options), iam)
export const retrying315Promises: mysql315Promises.Pool = withLoginRetry(
  mysql315Promises.createPool(options),
  iam,
)

// The same holds for a managed pool, and any of them can be warmed up.
export const managed: Pool = managedPool(createPool(options))
export const managedPromises: promises.Pool = managedPool(promises.createPool(options))
export const managed315: mysql315.Pool = managedPool(mysql315.createPool(options))
export const managed315Promises: mysql315Promises.Pool = managedPool(mysql315Promises.createPool(options))
export const warm = [managed, managedPromises, managed315, managed315Promises].map((one) => warmUp(one, 5))

// @ts-expect-error a slip of the pen
createPool(withAuroraIam({ host, user, conectionLimit: 5 }))
// @ts-expect-error the same for promises
promises.createPool(withAuroraIam({ host, user, conectionLimit: 5 }))
// @ts-expect-error the same for one connection
promises.createConnection(withAuroraIam({ host, user, databse: 'shop' }))
// @ts-expect-error the same for a node of a cluster
createPoolCluster().add('WRITER', withAuroraIam({ host, user, conectionLimit: 5 }))
// @ts-expect-error the same where the driver's call stands elsewhere
withAuroraIam({ host, user, conectionLimit: 5 })
// @ts-expect-error the same where the caller declares no type
export const untyped: object = withAuroraIam({ host, user, conectionLimit: 5 })
// @ts-expect-error a port is a number
withAuroraIam({ host, user, port: '3306' })
// @ts-expect-error options of IAM go into the second argument
withAuroraIam({ host, user, rateLimit: 5, requireWriter: true })
// @ts-expect-error options of mysql2 go into the first argument
withAuroraIam({ host, user }, { connectionLimit: 5 })
// @ts-expect-error an object, not a URL
withAuroraIam('mysql://app@localhost/shop')
// @ts-expect-error the options are missing
withAuroraIam()
// @ts-expect-error a promise of an AuroraIam
withAuroraIam({ host, user }, Promise.resolve(iam))
// @ts-expect-error without the pool's own AuroraIam
withLoginRetry(pool)
