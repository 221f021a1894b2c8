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
export type { MysqlDataSourceOptions, NestMysqlOptions } from './data-source-types.ts'
export { type WarmableDataSource, warmUp } from './warm-up.ts'
export { withAuroraIam } from './with-aurora-iam.ts'
