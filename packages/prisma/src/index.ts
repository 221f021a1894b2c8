export {
  type AuroraIam,
  AuroraIamError,
  type AuroraIamErrorCode,
  type AuroraIamOptions,
  createAuroraIam,
} from '@aurora-iam/core'
export type { AuroraIamStatus } from './activity.ts'
export { type AuroraIamPrisma, auroraIam } from './aurora-iam-prisma.ts'
export { PrismaDriverError } from './errors.ts'
export type { AuroraIamExtensionOptions } from './extension.ts'
export type { AuroraIamPrismaOptions } from './options.ts'
