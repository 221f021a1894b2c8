export {
  type AuroraIam,
  AuroraIamError,
  type AuroraIamErrorCode,
  type AuroraIamOptions,
  type AuroraIamStats,
  type AuthToken,
  createAuroraIam,
  type PoolLifetimeStats,
  type PoolStats,
  type RateLimiterStats,
  type RetireReason,
  type TokenProvider,
  type TokenTarget,
} from '@aurora-iam/core'
export type { AnyAuthPlugin, Mysql2Options } from './driver-types.ts'
export { type RetryablePool, withLoginRetry } from './pool/login-retry.ts'
export { managedPool } from './pool/managed-pool.ts'
export { warmUp } from './pool/warm-up.ts'
export { withAuroraIam } from './with-aurora-iam.ts'
