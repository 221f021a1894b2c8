export {
  type AuroraIam,
  AuroraIamError,
  type AuroraIamErrorCode,
  type AuroraIamOptions,
  createAuroraIam,
} from '@aurora-iam/core'
export type { MysqlDataSourceOptions } from './data-source-types.ts'
export { withLoginRetry } from './login-retry.ts'
export { withAuroraIam } from './with-aurora-iam.ts'
