export {
  type AuroraIam,
  AuroraIamError,
  type AuroraIamErrorCode,
  type AuroraIamOptions,
  createAuroraIam,
} from '@aurora-iam/core'
export { type AuroraIamPrisma, auroraIam } from './aurora-iam-prisma.ts'
export { PrismaDriverError } from './errors.ts'
export type { AuroraIamExtensionOptions } from './extension.ts'
export type { AuroraIamPrismaOptions } from './options/options.ts'
export type { AuroraIamStatus } from './status.ts'
