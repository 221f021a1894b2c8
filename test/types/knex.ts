// What users of Knex write, without a cast, and what the compiler refuses. No line of it runs.
import { auroraIamConnection, createAuroraIam, withAuroraIam } from '@aurora-iam/knex'
import knex, { type Knex } from 'knex'

const host = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const connection = { host, user: 'app', database: 'shop' }

declare const ofKnex: Knex.Config

export const iam = createAuroraIam()
export const stats = iam.stats()
export const config = withAuroraIam({ client: 'mysql2', connection, pool: { min: 0, max: 5 } }, iam)
export const databases = [
  knex(config),
  knex(withAuroraIam(ofKnex)),
  knex({ client: 'mysql2', connection: auroraIamConnection(connection) }),
]

// @ts-expect-error a slip of the pen
withAuroraIam({ client: 'mysql2', connection, poool: { max: 5 } })
// @ts-expect-error the same inside the connection
auroraIamConnection({ host, user: 'app', databse: 'shop' })
// @ts-expect-error options of IAM go into the second argument
withAuroraIam({ client: 'mysql2', connection, rateLimit: 5 })
// @ts-expect-error the same beside the host
auroraIamConnection({ host, user: 'app', requireWriter: true })
