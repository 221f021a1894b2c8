import { type AuroraIamOptions, type AuroraIamPrismaOptions, auroraIam } from '@aurora-iam/prisma'
import { PrismaClient } from './generated/client.ts'

/** The client of this program. */
export type Database = ReturnType<typeof connectDatabase>

/** Creates a client on IAM tokens. With a real cluster `iam` is left out. */
export function connectDatabase(options: AuroraIamPrismaOptions, iam?: AuroraIamOptions) {
  const { adapter, transactionOptions, extension } = auroraIam(options, iam)
  return new PrismaClient({ adapter, transactionOptions }).$extends(extension({ retryReads: true }))
}
