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
export { AuroraIamError, createAuroraIam } from '@aurora-iam/core/adapter'
export type { AnyAuthPlugin, Mysql2Options } from './driver-types.ts'
export { type RetryablePool, withLoginRetry } from './pool/login-retry.ts'
export { managedPool } from './pool/managed-pool.ts'
export { warmUp } from './pool/warm-up.ts'
export { withAuroraIam } from './with-aurora-iam.ts'
