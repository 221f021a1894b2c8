// What users of Prisma write, without a cast, and what the compiler refuses. No line of it runs.
import { auroraIam } from '@aurora-iam/prisma'

const host = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'

export const { adapter, transactionOptions, extension, status } = auroraIam({
  host,
  user: 'app',
  database: 'shop',
})
export const known = status()

// @ts-expect-error a slip of the pen
auroraIam({ host, user: 'app', databse: 'shop' })
// @ts-expect-error options of IAM go into the second argument
auroraIam({ host, user: 'app', database: 'shop', rateLimit: 5 })
