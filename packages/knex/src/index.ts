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
export { auroraIamConnection } from './connection.ts'
export { warmUp } from './warm-up.ts'
export { withAuroraIam } from './with-aurora-iam.ts'
