export type {
  AuroraIam,
  AuroraIamErrorCode,
  AuroraIamOptions,
  AuroraIamStats,
  AuthToken,
  PoolLifetimeStats,
  PoolStats,
  RateLimiterStats,
  RetireReason,
  TokenProvider,
  TokenTarget,
} from '@aurora-iam/core'
export type { WarmUpOptions } from '@aurora-iam/core/adapter'
export { AuroraIamError, createAuroraIam } from '@aurora-iam/core/adapter'
export type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils'
export { type AuroraIamAdapter, type AuroraIamPrisma, auroraIam } from './aurora-iam-prisma.ts'
export type { PrismaErrorCode } from './error-catalogue.ts'
export { PrismaDriverError } from './errors.ts'
export type {
  AuroraIamClientMembers,
  AuroraIamExtension,
  AuroraIamExtensionOptions,
  ExtendedClient,
  WarmUp,
} from './extension.ts'
export type { AuroraIamPrismaOptions } from './options/options.ts'
export type { AuroraIamStatus } from './status.ts'
