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
export type { MysqlDataSourceOptions, NestMysqlOptions } from './data-source-types.ts'
export { type WarmableDataSource, warmUp } from './warm-up.ts'
export { withAuroraIam } from './with-aurora-iam.ts'
