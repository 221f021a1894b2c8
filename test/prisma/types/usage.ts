// Programs of users, compiled with `declaration: true` where pnpm hides the packages that ours depends on.
import { auroraIam } from '@aurora-iam/prisma'
import { PrismaClient } from '../generated/esm/client.ts'

const host = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const place = { host, user: 'app', database: 'app' }

export const { adapter, transactionOptions, extension, status, warmUp } = auroraIam(place, { rateLimit: 10 })
export const iam = auroraIam(place)
export const prisma = new PrismaClient({ adapter, transactionOptions }).$extends(extension())
export const now = () => prisma.$iam.status()
export function connect() {
  return new PrismaClient({ adapter: iam.adapter }).$extends(iam.extension({ retryReads: true }))
}

// @ts-expect-error: options of IAM stand in the second argument
export const misplaced = () => auroraIam({ host, user: 'app', rateLimit: 5, requireWriter: true })
// @ts-expect-error: no such option
export const misspelt = () => auroraIam({ host, user: 'app', conectionLimit: 5 })
// @ts-expect-error: no such option of IAM
export const misspeltIam = () => auroraIam(place, { ratelimit: 5 })
// @ts-expect-error: an address, not a URL
export const url = () => auroraIam('mysql://app@host/app')
